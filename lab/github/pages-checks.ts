import { latestChecks, latestStatuses } from './check-verdict.ts';
import type { CheckRun, Conclusion, Repository } from './model.ts';
import { ago, type Html, html, type Icon, icon } from './pages-html.ts';
import { form, is, notFound, type Page, type RepositoryVisit } from './pages-layout.ts';

/** What CI says about a commit, and the box in which a person of the lab says how it ends: nothing is executed. */

type State = 'passed' | 'failed' | 'running' | 'waiting' | 'skipped';

interface Check {
  id: number | undefined;
  name: string;
  state: State;
  text: string;
}

const ENDS: Readonly<Record<Conclusion, [State, string]>> = {
  success: ['passed', 'Successful'],
  failure: ['failed', 'Failing'],
  timed_out: ['failed', 'Timed out'],
  action_required: ['failed', 'Action required'],
  cancelled: ['failed', 'Cancelled'],
  neutral: ['skipped', 'Neutral'],
  skipped: ['skipped', 'Skipped'],
};

const ICONS: Readonly<Record<State, Icon>> = {
  passed: 'check',
  failed: 'cross',
  running: 'dot',
  waiting: 'dot',
  skipped: 'skip',
};

function checkOf({ id, name, status, conclusion }: CheckRun): Check {
  if (conclusion !== null) return { id, name, state: ENDS[conclusion][0], text: ENDS[conclusion][1] };
  return status === 'queued'
    ? { id, name, state: 'waiting', text: 'Queued' }
    : { id, name, state: 'running', text: 'In progress' };
}

const STATUSES = { success: 'passed', failure: 'failed', error: 'failed', pending: 'waiting' } as const;

export function checksOf(repository: Repository, sha: string): Check[] {
  const statuses = latestStatuses(repository, sha).map(({ context, state, description }): Check => {
    return { id: undefined, name: context, state: STATUSES[state], text: description ?? state };
  });
  return [...latestChecks(repository, sha).map(checkOf), ...statuses];
}

/** One sentence about all of them. */
export function checkSummary(checks: readonly Check[]): { state: State; text: string } {
  const has = (state: State) => checks.filter((check) => check.state === state).length;
  if (has('failed') > 0)
    return {
      state: 'failed',
      text: has('failed') === checks.length ? 'All checks have failed' : 'Some checks were not successful',
    };
  if (has('waiting') + has('running') > 0) return { state: 'running', text: 'Some checks haven’t completed yet' };
  return { state: 'passed', text: 'All checks have passed' };
}

export function checkMark(state: State): Html {
  return icon(ICONS[state], state);
}

export function checkRows({ base }: RepositoryVisit, checks: readonly Check[]): Html[] {
  return checks.map(
    ({ id, name, state, text }) =>
      html`<div class="row check">${checkMark(state)} <b>${name}</b> <span class="soft">${text}</span>${
        id !== undefined && html`<a class="end" href="${base}/runs/${id}">Details</a>`
      }</div>`,
  );
}

/** `/runs/<check>`, where the API says that the log of a job can be looked at. */
export function checkPage(visit: RepositoryVisit, id: number): Page {
  const { core, repository } = visit;
  const check = repository.checks.get(id);
  if (!check) return notFound();
  return {
    tab: 'pulls',
    title: check.name,
    body: html`<h1 class="small">${checkMark(checkOf(check).state)} ${check.name}</h1>
<p class="soft">${checkOf(check).text} · <a href="${visit.base}/commit/${check.sha}"><code>${check.sha.slice(0, 7)}</code></a>${
      check.completedAt !== null && html` · ${ago(check.completedAt, core.now())}`
    }</p>${logOf(repository, check)}`,
  };
}

function logOf(repository: Repository, check: CheckRun): Html {
  const log = [check.output.title, check.output.summary, check.output.text, repository.jobs.get(check.id)?.log]
    .filter((text) => text !== null && text !== undefined && text !== '')
    .join('\n');
  return log === '' ? html`<p class="soft">There is no log yet.</p>` : html`<pre class="log">${log}</pre>`;
}

/** All checks of a commit with their logs. */
export function checksSection(visit: RepositoryVisit, sha: string): Html {
  const { repository } = visit;
  const checks = checksOf(repository, sha);
  if (checks.length === 0) return html`<p class="blank soft">No checks have run for <code>${sha.slice(0, 7)}</code>.</p>`;
  return html`${checks.map(({ id, name, state, text }) => {
    const check = id === undefined ? undefined : repository.checks.get(id);
    return html`<details class="box"${state === 'failed' && html` open`}><summary class="head">${checkMark(state)} <b>${name}</b> <span class="soft">${text}</span></summary>
<div class="inside">${check ? logOf(repository, check) : html`<p class="soft">A status has no log.</p>`}</div></details>`;
  })}`;
}

/** What a failing job may have said: of the demo project, so that an agent has something to find. */
const SAMPLES: Readonly<Record<string, string>> = {
  test: `> demo@1.0.0 test
> node --test

✖ the discount is taken off the sum
  AssertionError [ERR_ASSERTION]: Expected values to be strictly equal:
  501 !== 500
    at test/basket.test.js:25:10
Error: Process completed with exit code 1.`,
  lint: `src/basket.js
  1:1  error  The comment does not say how the sum is rounded  describe-rounding

✖ 1 problem (1 error, 0 warnings)
Error: Process completed with exit code 1.`,
};
const SAMPLE = 'Error: Process completed with exit code 1.';

/** Starting checks, and saying how they end. */
export function ciBox(visit: RepositoryVisit, number: number, sha: string): Html {
  const { repository, base } = visit;
  const at = `${base}/pull/${number}/checks`;
  const jobs = latestChecks(repository, sha).flatMap(({ id }) => repository.jobs.get(id) ?? []);
  const open = jobs.filter(({ status }) => status !== 'completed');
  const inside = is(visit, 'write')
    ? html`${open.map(
        ({ id, name }) => html`<div class="row job"><b>${name}</b>
${form(`${at}/finish`, html`<input type="hidden" name="job" value="${id}"><input type="hidden" name="log" value="All good."><button name="conclusion" value="success" class="good">Let it pass</button>`)}
<details><summary class="button">Let it fail…</summary>${form(
          `${at}/finish`,
          html`<input type="hidden" name="job" value="${id}"><label class="soft" for="log-${id}">What its log says</label>
<textarea id="log-${id}" name="log" rows="9" spellcheck="false">
${SAMPLES[name] ?? SAMPLE}</textarea><button name="conclusion" value="failure" class="bad">Let it fail</button>`,
        )}</details></div>`,
      )}${form(
        `${at}/start`,
        html`<input name="jobs" value="test, lint" aria-label="Names of the checks" size="16"> <button class="${
          jobs.length === 0 && 'good'
        }">${jobs.length === 0 ? 'Start checks' : 'Start checks again'}</button>`,
        'row',
      )}`
    : html`<p class="row soft">Only those with write access start checks.</p>`;
  return html`<section class="lab-box" id="ci"><h3>Lab: CI</h3><p class="soft">Nothing is executed here: you say how checks end.</p>${inside}</section>`;
}
