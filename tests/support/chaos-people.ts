import { setTimeout as delay } from 'node:timers/promises';
import { reasonGiven } from './chaos-ends.ts';
import { hasWritten, keptIn } from './chaos-facts.ts';
import type { ChaosLife } from './chaos-life.ts';
import { asks, type Chances, commandOf, type Order, type Person, type Posted } from './chaos-plan.ts';
import type { LabClient, Told } from './lab-client.ts';
import { waitFor } from './wait-for.ts';

/** Types the orders one after the other, also while Deckhand dies. One that got no answer is typed again as another request. */
export async function postAll(
  life: ChaosLife,
  orders: readonly Order[],
  posted: Posted[],
  chances: Chances,
  outside: string | undefined,
): Promise<void> {
  let number = 0;
  for (const order of orders) {
    for (let accepted = false; !accepted; ) {
      await delay(chances.between(50, 700));
      await life.up();
      number += 1;
      const one: Posted = { ...order, marker: `chaos-${String(number).padStart(2, '0')}`, accepted };
      posted.push(one);
      const project = asks(order.kind) ? 'careful' : 'demo';
      const line = `sh project=${project} ${commandOf(order.kind, one.marker, outside)}`;
      accepted = await heard(life, `${one.kind} ${one.marker}`, () => type(life.as(order.by), order, line));
      one.accepted = accepted;
    }
  }
}

function type(person: LabClient, { how, channel }: Order, line: string): Promise<void> {
  return how === 'slash' ? person.slash(`/deckhand ${line}`, channel) : person.say(`@Deckhand ${line}`, channel);
}

/** False when no answer came, because Deckhand died meanwhile or before. */
async function heard(life: ChaosLife, what: string, work: () => Promise<unknown>): Promise<boolean> {
  try {
    await life.ask(what, work);
    return true;
  } catch (error) {
    // 424: the lab did not hear from the adapter, to which it is connected by a socket. A button is gone when an earlier press that got no
    // answer was heard after all.
    const text = String(error);
    if (!/fetch failed|does not run|terminated|: 424 |element_not_found/.test(text)) throw error;
    life.tell(`not answered: ${what} (${text.slice(0, 100)})`);
    return false;
  }
}

/** One thing a person has to do in the thread of a task. Tries it where it can be done now; true when it need not be done again. */
type Deed = (seen: readonly Told[]) => Promise<boolean>;

const wants = /wants to run a command/;
const decided = /wanted to run a command/;
/** A form that is not open by then was not opened in time; Deckhand has told the person to press again. */
const formOpensWithinMs = 5000;

/**
 * Decides what waits for a decision and stops what is to be stopped, until all has been done. Each press is repeated only until the
 * lab has accepted it: from then on Deckhand must not need to be told again. `deaths` settles when there are no more; only from then on
 * the time counts, for each start takes as long as the machine needs for it.
 */
export async function actOnAll(
  life: ChaosLife,
  posted: readonly Posted[],
  allPosted: () => boolean,
  deaths: Promise<void>,
): Promise<void> {
  const done = new Set<string>();
  const denied = new Set<string>();
  const deeds = new Map<string, Deed>();
  let noMoreDeaths = false;
  const ended = () => {
    noMoreDeaths = true;
  };
  void deaths.then(ended, ended);
  const act = async () => {
    const seen = await life.as('ada').messages();
    await fillIn(life, denied);
    for (const one of posted) {
      const deed = deeds.get(one.marker) ?? deedOf(life, one, denied);
      deeds.set(one.marker, deed);
      if (!done.has(one.marker) && (await deed(seen))) done.add(one.marker);
    }
    const open = posted.filter(({ marker, accepted }) => accepted && !done.has(marker));
    if (allPosted() && open.length === 0) return true;
    throw new Error(open.map((one) => [`${one.kind} ${one.marker} is open:`, ...about(seen, one)].join('\n  ')).join('\n'));
  };
  const what = 'everything to be decided and stopped';
  await waitFor(what, async () => noMoreDeaths || (await act()), { timeoutMs: Number.POSITIVE_INFINITY, everyMs: 200 });
  await waitFor(what, act, { timeoutMs: 150_000, everyMs: 200 });
}

function about(seen: readonly Told[], { marker }: Posted): string[] {
  return seen.filter(({ text }) => text.includes(marker)).map(({ text, buttons }) => `${text} [${buttons.join(', ')}]`);
}

/** Ben gives the reason wherever he is asked for one. */
async function fillIn(life: ChaosLife, denied: Set<string>): Promise<void> {
  const form = await life.as('ben').form();
  if (form === undefined) return;
  if (await heard(life, `ben fills in ${form.title}`, () => life.as('ben').submit(form, reasonGiven))) denied.add(form.title);
}

function deedOf(life: ChaosLife, { kind, marker, by }: Posted, denied: ReadonlySet<string>): Deed {
  const find = (seen: readonly Told[], pattern: RegExp) =>
    seen.find(({ text, message }) => message.is_bot && text.includes(marker) && pattern.test(text));
  const press = async (told: Told | undefined, button: string, people: readonly Person[]) => {
    if (told?.buttons.includes(button) !== true) return false;
    const presses = people.map((person) =>
      heard(life, `${person} presses ${button} of ${marker}`, () => life.as(person).press(told, button)),
    );
    return (await Promise.all(presses)).some(Boolean);
  };
  const decide = (people: readonly Person[]): Deed => {
    return async (seen) => find(seen, decided) !== undefined || (await press(find(seen, wants), 'Approve', people));
  };
  let asked = { url: '', at: 0 };
  const deny: Deed = async (seen) => {
    if (find(seen, decided) !== undefined) return true;
    const told = find(seen, wants);
    const number = /^#\d+/.exec(told?.text ?? '')?.[0];
    if (number !== undefined && denied.has(`Deny ${number}`)) return true;
    const { url } = life.running();
    // What opens a form is of no use to the next life, and for a few seconds only: then the button is pressed again.
    if (asked.url === url && performance.now() - asked.at < formOpensWithinMs) return false;
    if (await press(told, 'Deny with reason…', ['ben'])) asked = { url, at: performance.now() };
    return false;
  };
  // The output is not looked for on the card, which is edited only a few times a minute.
  const stop: Deed = async (seen) => {
    if (find(seen, /stopping|cancelled/) !== undefined) return true;
    return (await hasWritten(await keptIn(life.dataDir), marker, 'begun')) && (await press(find(seen, /^#/), 'Stop', [by]));
  };
  const deeds: Partial<Record<Posted['kind'], Deed>> = {
    approved: decide(['ada']),
    contested: decide(['ada', 'ben']),
    denied: deny,
    stopped: stop,
  };
  return deeds[kind] ?? (() => Promise.resolve(true));
}
