import type { NumberedMail } from '../../src/contracts/agent.ts';
import type { RunEventData } from '../../src/contracts/run-event.ts';
import type { CliProtocol, Step } from './cli-protocol.ts';
import type { Commit, HarnessSession, OutputLine, TurnEnd } from './port.ts';
import { addEvent } from './text-parts.ts';

/** More than this is not taken at once: a commit stays small, and the process is held back by its pipe. */
const mostTaken = 500;
const mostCharacters = 1024 * 1024;
/** What comes within this time is stored together. */
const gatherMs = 50;

/** Drives a CLI by its protocol: takes its lines and the mail in the order they come, and stores what follows from them. */
export async function driveCli<S>(protocol: CliProtocol<S>, session: HarnessSession): Promise<TurnEnd> {
  const { turn } = session;
  const earlier = session.state === null ? null : protocol.state.parse(session.state);
  let state: S;
  if (earlier === null || !session.begun) {
    const first = protocol.begin(turn, earlier);
    await session.commit(commitOf([first]));
    state = first.state;
  } else {
    state = earlier;
  }

  const arrivals = gather(session);
  try {
    for (;;) {
      const { lines, mail, park, over } = await arrivals.take();
      const steps: Step<S>[] = [];
      const reduce = (step: Step<S>) => {
        state = step.state;
        steps.push(step);
      };
      for (const { mail: one } of mail) reduce(protocol.mail(state, one, turn));
      for (const line of lines) reduce(protocol.line(state, line, turn));
      if (park && !over) reduce(protocol.park(state, turn));
      if (steps.length > 0) {
        const cursor = lines.at(-1)?.end;
        const last = mail.at(-1)?.seq;
        await session.commit({
          ...commitOf(steps),
          ...(cursor === undefined ? {} : { cursor }),
          ...(last === undefined ? {} : { mail: last }),
        });
      }
      if (over) return protocol.over(state, session.stop.aborted);
    }
  } finally {
    await arrivals.end();
  }
}

/** What several steps come to. Pieces of one text that follow on from one another become one. */
export function commitOf<S>(steps: readonly Step<S>[]): Commit {
  return {
    state: steps.at(-1)?.state,
    events: joined(steps.flatMap(({ events }) => events ?? [])),
    asks: steps.flatMap(({ asks }) => asks ?? []),
    withdrawn: steps.flatMap(({ withdrawn }) => withdrawn ?? []),
    inputs: steps.flatMap(({ inputs }) => inputs ?? []),
  };
}

function joined(events: readonly RunEventData[]): RunEventData[] {
  const result: RunEventData[] = [];
  for (const event of events) addEvent(result, event);
  return result;
}

interface Taken {
  lines: OutputLine[];
  mail: NumberedMail[];
  /** The turn is to be parked; said once. */
  park: boolean;
  /** The process has ended, and these were its last lines. */
  over: boolean;
}

/** Collects lines and mail as they come. A failure of either is thrown by `take`. */
function gather(session: HarnessSession): { take(): Promise<Taken>; end(): Promise<void> } {
  let lines: OutputLine[] = [];
  let characters = 0;
  let mail: NumberedMail[] = [];
  let park = false;
  let over = false;
  let failure: { error: unknown } | undefined;
  let wake = Promise.withResolvers<void>();
  let room = Promise.withResolvers<void>();
  const until = new AbortController();

  const fail = (error: unknown) => {
    failure ??= { error };
    wake.resolve();
  };
  async function readLines(): Promise<void> {
    for await (const line of session.lines(until.signal)) {
      while (!until.signal.aborted && (lines.length >= mostTaken || characters >= mostCharacters)) await room.promise;
      if (until.signal.aborted) return;
      lines.push(line);
      characters += line.text.length;
      wake.resolve();
    }
    over = true;
    wake.resolve();
  }

  async function readMail(): Promise<void> {
    for await (const one of session.mail(until.signal)) {
      mail.push(one);
      wake.resolve();
    }
  }

  const onPark = () => {
    park = true;
    wake.resolve();
  };
  if (session.park.aborted) onPark();
  else session.park.addEventListener('abort', onPark, { once: true });
  const reading = [readLines().catch(fail), readMail().catch(fail)];

  return {
    async take() {
      await wake.promise;
      if (failure === undefined && !over) await new Promise((resolve) => setTimeout(resolve, gatherMs));
      if (failure !== undefined) throw failure.error;
      const taken = { lines, mail, park, over };
      park = false;
      lines = [];
      characters = 0;
      mail = [];
      wake = Promise.withResolvers<void>();
      if (over) wake.resolve();
      room.resolve();
      room = Promise.withResolvers<void>();
      return taken;
    },
    async end() {
      session.park.removeEventListener('abort', onPark);
      until.abort();
      room.resolve();
      await Promise.all(reading);
    },
  };
}
