import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Question } from '../../src/contracts/agent.ts';
import { decodePress } from '../../src/contracts/press.ts';
import { formSchema } from '../../src/contracts/view.ts';
import { answeredBy, answerForm, chosenAnswer, readAnswers } from '../../src/delivery/question-form.ts';
import { question } from '../support/agent-cards.ts';

const secret = 'abcdefghijklmnopqrstuv';
const many = (count: number): Question =>
  question({ options: Array.from({ length: count }, (_, n) => ({ label: `choice ${n + 1}` })) });

describe('answers to questions', () => {
  it('need one press where one of a few is to be chosen, a select for more, a form for the rest', () => {
    expect(answeredBy([many(5)])).toBe('buttons');
    expect(answeredBy([many(6)])).toBe('select');
    expect(answeredBy([question({ multiple: true })])).toBe('form');
    expect(answeredBy([question(), question({ id: 'q2' })])).toBe('form');
    expect(answeredBy([question({ options: [] })])).toBe('form');
    expect(chosenAnswer([question()], 0, 1)).toEqual({ q1: ['jest'] });
    expect(chosenAnswer([question()], 0, 2)).toBeUndefined();
    expect(chosenAnswer([question()], 1, 0)).toBeUndefined();
  });

  it('come from a form with a choice and own words for each question', () => {
    const questions = [question(), question({ id: 'q2', header: 'Where', text: 'Which targets?', multiple: true, free: false })];
    const form = answerForm(secret, 142, questions);
    expect(decodePress(form.token)).toEqual({ kind: 'decide', secret, verb: 'answer' });
    expect(form.fields.map(({ id, type, label, required }) => [id, type, label, required])).toEqual([
      ['q0', 'select', '1. Which test runner?', false],
      ['w0', 'text', '1. Own words: Runner', false],
      ['q1', 'select', '2. Which targets?', true],
    ]);
    expect(readAnswers(questions, { q0: ['1'], w0: [' '], q1: ['0', '1'] })).toEqual({ q1: ['jest'], q2: ['vitest', 'jest'] });
    expect(readAnswers(questions, { q0: ['1'], w0: ['node --test'], q1: ['0'] })).toEqual({
      q1: ['node --test'],
      q2: ['vitest'],
    });
    expect(readAnswers(questions, { q0: ['7', 'x', '-1'], q1: [] })).toEqual({});
  });

  it('are lines of text where a form has no room for every question', () => {
    const questions = Array.from({ length: 4 }, (_, at) => question({ id: `q${at}` }));
    const form = answerForm(secret, 142, questions);
    expect(form.fields.map(({ id }) => id)).toEqual(['lines']);
    expect(readAnswers(questions, { lines: ['2\n\n1. VITEST\nnode --test\njest'] })).toEqual({
      q0: ['jest'],
      q1: ['vitest'],
      q2: ['node --test'],
      q3: ['jest'],
    });
  });

  it('fit every platform: at most five parts, ids and labels within bounds', () => {
    const anyQuestion: fc.Arbitrary<Question> = fc.record({
      id: fc.uuid(),
      header: fc.string({ maxLength: 200 }),
      text: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 500 }),
      options: fc.array(fc.record({ label: fc.string({ unit: 'grapheme', maxLength: 200 }) }), { maxLength: 60 }),
      multiple: fc.boolean(),
      free: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(anyQuestion, { minLength: 1, maxLength: 8 }), (questions) => {
        const form = answerForm(secret, 142, questions);
        expect(formSchema.parse(form)).toEqual(form);
        const parts = form.fields.reduce(
          (sum, field) => sum + (field.type === 'text' ? 1 : Math.ceil(field.options.length / 25)),
          0,
        );
        expect(parts).toBeLessThanOrEqual(5);
        expect(form.fields.every(({ label }) => label.trim().length > 0 && label.length <= 100)).toBe(true);
        const chosen = Object.fromEntries(
          form.fields.flatMap((field) => (field.type === 'select' ? [[field.id, [field.options.at(-1)?.value ?? '']]] : [])),
        );
        const answers = readAnswers(questions, chosen);
        for (const { id, options } of questions)
          if (answers[id] !== undefined) expect(answers[id]).toEqual([options.at(-1)?.label]);
      }),
      { examples: [[[{ id: 'a', header: '', text: ' ', options: [], multiple: false, free: false }]]] },
    );
  });
});
