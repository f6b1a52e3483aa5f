import { Agent, request } from 'node:http';
import { stringify } from 'node:querystring';
import { setTimeout as delay } from 'node:timers/promises';
import type { SlackEmulator } from '../lab/slack/emulator.ts';
import { signature } from '../lab/slack/http-delivery.ts';
import { issueResponseUrl } from '../lab/slack/response-url.ts';
import { APP_ID, BOT_USER, TEAM } from '../lab/slack/seed.ts';

/** A request as Slack sends it, and the key under which the inbox must have it afterwards. */
export interface Act {
  key: string;
  contentType: string;
  body: string;
}

/** What came of one request. `ms`: from the moment it was due to the end of the answer. */
export interface Answer {
  key: string;
  status: number;
  ms: number;
}

export type SendAct = (act: Act) => Promise<number>;

/** Sends signed requests over at most so many kept connections. Resolves with the status, 0 when there was no answer. */
export function createSender(url: string, signingSecret: string, connections: number): { send: SendAct; close(): void } {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const send: SendAct = ({ body, contentType }) => {
    const timestamp = Math.floor(Date.now() / 1000);
    const { promise, resolve } = Promise.withResolvers<number>();
    const headers = {
      'content-type': contentType,
      'content-length': Buffer.byteLength(body),
      'x-slack-request-timestamp': timestamp,
      'x-slack-signature': signature(signingSecret, timestamp, body),
    };
    const sent = request(`${url}/slack/events`, { method: 'POST', agent, headers, timeout: 10_000 }, (response) => {
      response.resume();
      response.on('end', () => resolve(response.statusCode ?? 0));
    });
    sent.on('timeout', () => sent.destroy());
    sent.on('error', () => resolve(0));
    sent.end(body);
    return promise;
  };
  return { send, close: () => agent.destroy() };
}

/** `/deckhand help` typed by Ada. */
export function commandAct(slack: SlackEmulator, channel: { id: string; name: string }): Act {
  const user = slack.person('ada');
  const trigger = slack.core.triggers.issue({ user: user.id, channel: channel.id });
  const fields = {
    team_id: TEAM.id,
    team_domain: TEAM.domain,
    channel_id: channel.id,
    channel_name: channel.name,
    user_id: user.id,
    user_name: user.name,
    command: '/deckhand',
    text: 'help',
    api_app_id: APP_ID,
    response_url: issueResponseUrl(slack.core, 'commands', { user: user.id, channel: channel.id }),
    trigger_id: trigger,
  };
  return { key: `cmd:${trigger}`, contentType: 'application/x-www-form-urlencoded', body: stringify(fields) };
}

/** Something Ben says in a thread of the channel. */
export function messageAct(slack: SlackEmulator, channel: { id: string }): Act {
  const ts = slack.core.state.nextTs();
  const event = {
    type: 'message',
    user: slack.person('ben').id,
    text: 'looks good to me',
    ts,
    thread_ts: '1700000000.000100',
    channel: channel.id,
    channel_type: 'channel',
    event_ts: ts,
  };
  const body = {
    token: 'bench',
    team_id: TEAM.id,
    api_app_id: APP_ID,
    type: 'event_callback',
    event_id: `Ev${ts.replace('.', '')}`,
    event_time: Math.floor(Date.now() / 1000),
    authorizations: [{ team_id: TEAM.id, user_id: BOT_USER, is_bot: true }],
    event,
  };
  return { key: `msg:${TEAM.id}:${channel.id}:${ts}`, contentType: 'application/json', body: JSON.stringify(body) };
}

/**
 * Sends `perSecond` requests a second for `seconds`, whether or not earlier ones are answered: a slow answer delays nobody else's, so
 * its whole wait is counted.
 */
export async function openLoop(
  send: SendAct,
  make: (n: number) => Act,
  load: { perSecond: number; seconds: number },
  signal: AbortSignal,
): Promise<Answer[]> {
  const total = load.perSecond * load.seconds;
  const began = performance.now();
  const answers: Promise<Answer>[] = [];
  while (answers.length < total && !signal.aborted) {
    for (;;) {
      const due = began + (answers.length * 1000) / load.perSecond;
      if (due > performance.now() || answers.length === total) break;
      const act = make(answers.length);
      answers.push(send(act).then((status) => ({ key: act.key, status, ms: performance.now() - due })));
    }
    await delay(1);
  }
  return await Promise.all(answers);
}

/** So many senders, each with its next request as soon as the last one is answered. */
export async function closedLoop(
  send: SendAct,
  make: (n: number) => Act,
  load: { senders: number; seconds: number },
  signal: AbortSignal,
): Promise<Answer[]> {
  const until = performance.now() + load.seconds * 1000;
  const answers: Answer[] = [];
  let made = 0;
  const one = async () => {
    while (performance.now() < until && !signal.aborted) {
      const act = make(made);
      made += 1;
      const sentAt = performance.now();
      const status = await send(act);
      answers.push({ key: act.key, status, ms: performance.now() - sentAt });
    }
  };
  await Promise.all(Array.from({ length: load.senders }, one));
  return answers;
}
