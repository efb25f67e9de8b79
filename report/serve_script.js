// Keeps a page up to date: without it everything is there, by loading again.
'use strict';
const live = document.getElementById('live');
let busy = false, again = false;

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
			const search = document.querySelector('input[type=search]');
			const typed = search ? search.value : '';
			document.querySelector('main').replaceWith(fresh);
			const searchNow = document.querySelector('input[type=search]');
			if (searchNow)
				searchNow.value = typed;
			if (focus && document.getElementById(focus))
				document.getElementById(focus).focus();
		}
	} catch (error) {
		live.textContent = 'Not connected; what is shown may be old.';
	}
	busy = false;
	if (again) {
		again = false;
		refresh();
	}
}

const events = new EventSource('/events');
events.onopen = () => { live.textContent = 'Live.'; };
events.onerror = () => { live.textContent = 'Not connected; what is shown may be old.'; };
events.addEventListener('case', refresh);
events.addEventListener('finding', (event) => {
	const finding = JSON.parse(event.data);
	live.textContent = 'New: ' + finding.sentence;
});
