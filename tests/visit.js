// visit.js MAILWITNESS DIRECTORY - run by tests/visit, which made the cases in DIRECTORY
'use strict';
const { chromium } = require('playwright-core');
const { spawn, execFileSync } = require('child_process');
const fs = require('fs');
const [program, dir] = process.argv.slice(2);
const axe = fs.readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
let checked = 0, bad = 0, pictures = 0, rules = 0;

function check(what, good, ...more) {
	checked++;
	if (!good) {
		bad++;
		console.log('visit:', what, ...more.map((m) => JSON.stringify(m)));
	}
}

function serve(name) {
	const child = spawn(program, ['serve', '--listen', '127.0.0.1:0', `${dir}/${name}.case`], { stdio: ['ignore', 'ignore', 'pipe'] });
	return new Promise((resolve) => {
		let said = '';
		child.stderr.on('data', (data) => {
			const at = (said += data).match(/at (http:\S+)\//);
			if (at)
				resolve({ base: at[1], end: () => new Promise((ended) => { child.on('exit', ended); child.kill(); }) });
		});
	});
}

// What a page asks for and says is looked at as long as it is open.
async function open(context, base, path) {
	const page = await context.newPage();
	page.on('console', (m) => check(`${path} says nothing on the console`, page.quiet === false, m.text()));
	page.on('pageerror', (e) => check(`${path} has no error`, false, String(e)));
	page.on('request', (r) => check(`${path} asks nobody else`, r.url().startsWith(base + '/'), r.url()));
	await page.goto(base + path, { waitUntil: 'load' });
	return page;
}

async function pagesOf(browser, base) {
	const context = await browser.newContext(), paths = ['/', '/findings', '/destinations'];
	for (const path of ['/', '/findings']) {
		const page = await open(context, base, path);
		for (const href of await page.locator('main a').evaluateAll((links) => links.map((a) => a.getAttribute('href'))))
			if (/^\/(clients|findings)\/\d+$/.test(href) && !paths.includes(href))
				paths.push(href);
	}
	await context.close();
	return paths;
}

async function look(browser, name, base) {
	const paths = await pagesOf(browser, base);
	check(`${name} has clients and findings`, paths.some((p) => p.startsWith('/clients/')) && paths.some((p) => p.startsWith('/findings/')));
	for (const width of [360, 1280])
		for (const colorScheme of ['light', 'dark']) {
			// What axe-core is put in as is not the page's: its policy would refuse it.
			const context = await browser.newContext({ viewport: { width, height: 800 }, colorScheme });
			const open_to_axe = await browser.newContext({ viewport: { width, height: 800 }, colorScheme, bypassCSP: true });
			for (const path of paths) {
				const page = await open(context, base, path), where = `${name}${path} ${width} ${colorScheme}`;
				await page.getByText('Live: what is new appears by itself.').waitFor();
				check(`${where} is no wider than the window`, await page.evaluate('document.documentElement.scrollWidth') <= width);
				await page.screenshot({ path: `${dir}/${name}${path.replaceAll('/', '_')}-${width}-${colorScheme}.png`, fullPage: true });
				pictures++;
				await page.close();
				const other = await open(open_to_axe, base, path);
				await other.evaluate(axe);
				const said = await other.evaluate(() => axe.run());
				rules += said.passes.length;
				for (const v of said.violations)
					check(`${where} ${v.impact} ${v.id}`, !['serious', 'critical'].includes(v.impact), v.nodes[0].html.slice(0, 200));
				await other.close();
			}
			await context.close();
			await open_to_axe.close();
		}
}

function sql(name, text) {
	execFileSync('sqlite3', ['-cmd', '.timeout 5000', `${dir}/${name}.case`, text]);
}

async function live(browser, name, base) {
	const context = await browser.newContext(), page = await open(context, base, '/');
	await page.getByText('Live: what is new appears by itself.').waitFor();
	await page.evaluate('window.stayed = true');
	await page.fill('#q', 'not sent yet');
	sql(name, "INSERT INTO finding SELECT id + 1, key || 'x', kind, class, strength, client, owner, account, mechanism, secret_len," +
	    " first_ns, last_ns, 'A new <b>one</b>.', refuted_by FROM finding ORDER BY id DESC LIMIT 1");
	await page.locator('.cards .said', { hasText: 'A new <b>one</b>.' }).waitFor({ timeout: 10000 });
	check('a finding appears without loading again', await page.evaluate('window.stayed'));
	check('and is told', (await page.textContent('#live')).startsWith('New: '), await page.textContent('#live'));
	check('and what was typed stays', await page.inputValue('#q') === 'not sent yet');
	await context.close();
}

// Clicks and forms; with JavaScript and without.
async function use(browser, name, base, javaScriptEnabled) {
	const context = await browser.newContext({ javaScriptEnabled, acceptDownloads: true }), page = await open(context, base, '/findings');
	const how = javaScriptEnabled ? 'with JavaScript' : 'without JavaScript';
	const cards = page.locator('main .card'), all = await cards.count();
	await page.selectOption('#class', 'exposure');
	await page.click('text=Show');
	const some = await cards.count();
	check(`${how} a class shows fewer`, some > 0 && some < all, some, all);
	check(`${how} and only them`, (await cards.allTextContents()).every((t) => t.includes('exposure')));
	await page.click('text=Show all');
	check(`${how} all are shown again`, await cards.count() === all);
	await page.fill('#q', 'logged in');
	await page.click('text=Show');
	check(`${how} a word shows fewer`, await cards.count() > 0 && await cards.count() < all);
	await page.fill('#q', 'nothing is called that');
	await page.click('text=Show');
	check(`${how} nothing is said`, await page.getByText('Nothing is like that.').isVisible());
	await page.click('text=Overview');
	await page.locator('main .card a[href^="/clients/"]').first().click();
	check(`${how} a client has its page`, /\/clients\/\d+$/.test(page.url()), page.url());
	await page.locator('main .card a[href^="/findings/"]').first().click();
	const finding = page.url().match(/\/findings\/(\d+)$/)[1];
	const shown = (await page.locator('main code.block', { hasText: 'frame.number' }).allTextContents()).join().match(/\d+/g).map(Number);
	const [download] = await Promise.all([page.waitForEvent('download'), page.click('text=Its packets for Wireshark')]);
	check(`${how} packets are saved`, download.suggestedFilename() === `finding-${finding}-evidence.pcapng`, download.suggestedFilename());
	const comments = execFileSync('tshark', ['-n', '-r', await download.path(), '-T', 'fields', '-e', 'frame.comment'],
				      { stdio: ['ignore', 'pipe', 'ignore'] }).toString().trim().split('\n');
	check(`${how} tshark reads those that the page names`, comments.map((c) => Number(c.match(/frame (\d+)/)[1])).join() === shown.join(),
	      comments, shown);
	await page.click('text=Destinations');
	await page.locator('main th a').first().click();
	check(`${how} a company leads to its clients`, page.url().includes('/?q=') && await cards.count() > 0, page.url());
	await context.close();
}

async function ended(browser, served) {
	const context = await browser.newContext(), page = await open(context, served.base, '/');
	await page.getByText('Live: what is new appears by itself.').waitFor();
	page.quiet = false;	/* the browser says that nobody is there */
	await served.end();
	await page.getByText('Not connected: what is shown may be old.').waitFor({ timeout: 20000 });
	check('a dashboard that ended is said to', true);
	await context.close();
}

(async () => {
	const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
	for (const name of ['demo', 'displacement', 'joint-proven']) {
		const served = await serve(name);
		await look(browser, name, served.base);
		if (name === 'joint-proven') {
			await use(browser, name, served.base, true);
			await use(browser, name, served.base, false);
			await live(browser, name, served.base);
		}
		await ended(browser, served);
	}
	await browser.close();
	console.log(`visit: ${pictures} pages looked at, ${rules} rules of axe-core kept; ${checked} checks, ${bad} failed`);
	process.exit(bad > 0 || pictures === 0 ? 1 : 0);
})();
