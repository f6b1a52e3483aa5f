import { dollars } from '../approvals/action-text.ts';
import type { Question } from '../contracts/agent.ts';
import { type DecisionVerb, encodePress } from '../contracts/press.ts';
import type { Block, Button } from '../contracts/view.ts';
import { changeButtons } from './change-buttons.ts';
import type { DecisionFacts } from './decision-card.ts';
import { oneLine, reveal, shorten } from './neutralise.ts';
import { answeredBy } from './question-form.ts';

const labelLength = 40;

/** The buttons, or the select, with which a request is decided. `run`: the one it is about, whose change can be looked at. */
export function decisionControls(
  { secret, action }: Pick<DecisionFacts, 'secret' | 'action'>,
  run?: string | undefined,
): Block[] {
  const button = (verb: DecisionVerb, label: string, style: Button['style'] = 'default'): Button => ({
    token: encodePress({ kind: 'decide', secret, verb }),
    label,
    style,
  });
  const form = (verb: DecisionVerb, label: string, style: Button['style'] = 'default'): Button => ({
    ...button(verb, label, style),
    form: true,
  });
  const details = button('details', 'Details');
  const no = [button('deny', 'Deny', 'danger'), form('deny_reason', 'Deny with reason…')];
  switch (action.type) {
    case 'command':
    case 'tool': {
      const yes = [button('approve', 'Approve', 'primary'), button('approve_task', 'Approve for this task')];
      return [{ type: 'buttons', buttons: [...yes, ...no, details] }];
    }
    case 'plan': {
      const yes = [button('implement', 'Implement', 'primary'), button('implement_ask', 'Implement, ask first')];
      return [{ type: 'buttons', buttons: [...yes, form('revise', 'Revise…'), details] }];
    }
    case 'publish': {
      const yes =
        action.what === 'push' ? 'Approve & push' : action.what === 'draft' ? 'Approve & open draft' : 'Approve & open PR';
      const review = run === undefined ? [] : changeButtons({ run, newest: true, where: 'end' });
      return [{ type: 'buttons', buttons: [button('approve', yes, 'primary'), ...no, ...review, details] }];
    }
    case 'quota': {
      const raise = button('approve', shorten(`Go on up to ${action.upTo}`, labelLength), 'primary');
      return [{ type: 'buttons', buttons: [raise, ...no] }];
    }
    case 'spend': {
      const label = action.unpriced === undefined ? `Go on up to ${dollars(action.raisedUsd)}` : 'Go on without a limit';
      const raise = button('approve', shorten(label, labelLength), 'primary');
      return [{ type: 'buttons', buttons: [raise, ...no] }];
    }
    case 'question': {
      const by = answeredBy(action.questions);
      const [first] = action.questions;
      const words =
        by === 'form' ? [form('answer', 'Answer…', 'primary')] : first?.free === true ? [form('answer', 'Own words…')] : [];
      const rest = [...words, button('deny', 'No answer')];
      if (by === 'form' || first === undefined) return [{ type: 'buttons', buttons: rest }];
      if (by === 'select') return [selectOf(secret, first), { type: 'buttons', buttons: rest }];
      return [{ type: 'buttons', buttons: [...choices(secret, first), ...rest] }];
    }
  }
}

function choices(secret: string, { options }: Question): Button[] {
  const labels = options.map(({ label }) => oneLine(reveal(label).text));
  const clear =
    labels.every((label) => label.length > 0 && label.length <= labelLength) && new Set(labels).size === labels.length;
  return labels.map((label, option) => ({
    token: encodePress({ kind: 'choose', secret, question: 0, option }),
    // Choices whose beginnings may be the same are told apart by their number, in the order in which the card lists them.
    label: clear ? label : shorten(`${option + 1}. ${label}`, labelLength),
    style: 'default',
  }));
}

function selectOf(secret: string, { options, header, text }: Question): Block {
  return {
    type: 'select',
    token: encodePress({ kind: 'choose', secret, question: 0 }),
    placeholder: shorten(oneLine(reveal(header.trim() === '' ? text : header).text), 100) || 'Choose',
    options: options.map(({ label }, value) => {
      const shown = shorten(oneLine(reveal(label).text), 70);
      return { value: String(value), label: shown === '' ? `Choice ${value + 1}` : shown };
    }),
  };
}
