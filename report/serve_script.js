// Keeps a page up to date: without it everything is there, by loading again.
'use strict';
const live = document.getElementById('live');
const OFF = 'Not connected: what is shown may be old.';
let busy = false, again = false;

function say(state, words) {
	live.className = state;
	live.textContent = words;
}

async function refresh() {
	if (busy) {
		again = true;
		return;
	}
	busy = true;
	try {
		const answer = await fetch(location.href, { cache: 'no-store' });
		if (answer.ok) {
			const fresh = new DOMParser().parseFromString(await answer.text(), 'text/html').querySelector('main');
			const focus = document.activeElement && document.activeElement.id;
			// What was typed or chosen and not yet sent stays.
			const chosen = [...document.querySelectorAll('form [name]')].map((field) => [field.id, field.value]);
			document.querySelector('main').replaceWith(fresh);
			for (const [id, value] of chosen)
				if (document.getElementById(id))
					document.getElementById(id).value = value;
			if (focus && document.getElementById(focus))
				document.getElementById(focus).focus();
		}
	} catch (error) {
		say('off', OFF);
	}
	busy = false;
	if (again) {
		again = false;
		refresh();
	}
}

const events = new EventSource('/events');
events.onopen = () => { say('on', 'Live: what is new appears by itself.'); };
events.onerror = () => { say('off', OFF); };
events.addEventListener('case', refresh);
events.addEventListener('finding', (event) => { say('on', 'New: ' + JSON.parse(event.data).sentence); });
