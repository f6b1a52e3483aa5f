import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { actionHash, commandAction } from '../../src/approvals/action.ts';
import { hiddenCharacters, revealHidden } from '../../src/approvals/hidden-characters.ts';
import type { CommandAction } from '../../src/contracts/policy.ts';
import { canonicalJson } from '../../src/runtime/canonical-json.ts';

const action: CommandAction = commandAction(
  { command: 'npm test', project: 'prj_1' },
  { timeoutMs: 1000 },
  { cwd: '/workspace', sandbox: 'docker', image: 'img:1', network: 'none' },
);

describe('the hash that binds a decision to an action', () => {
  it('promise 7: differs when any field differs', () => {
    const changes: Partial<CommandAction>[] = [
      { command: 'npm test ' },
      { cwd: '/workspace/a' },
      { project: 'prj_2' },
      { sandbox: 'local' },
      { image: 'img:2' },
      { image: null },
      { network: 'host' },
      { timeoutMs: 1001 },
    ];
    const hashes = new Set([action, ...changes.map((change) => ({ ...action, ...change }))].map(actionHash));
    expect(hashes.size).toBe(changes.length + 1);
  });

  it('does not depend on the order of the fields', () => {
    const turned = Object.fromEntries(Object.entries(action).reverse()) as CommandAction;
    expect(actionHash(turned)).toBe(actionHash(action));
  });

  it('differs for any two different commands, also of hidden characters', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }), (a, b) => {
        fc.pre(a !== b);
        expect(actionHash({ ...action, command: a })).not.toBe(actionHash({ ...action, command: b }));
      }),
    );
    expect(actionHash({ ...action, command: 'ls\u200b' })).not.toBe(actionHash({ ...action, command: 'ls' }));
  });

  it('is taken over JSON that reads back as the same value', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });
});

describe('hidden characters', () => {
  it('are named and spelled out', () => {
    const command = 'ls \u202etxt.\u200b\u00a0\u001b[0m\tx\n';
    expect(hiddenCharacters(command)).toEqual(['U+202E', 'U+200B', 'U+00A0', 'U+001B']);
    expect(revealHidden(command)).toBe('ls ⟨U+202E⟩txt.⟨U+200B⟩⟨U+00A0⟩⟨U+001B⟩[0m\tx\n');
  });

  it('are none in ordinary text of any script', () => {
    for (const text of ['npm test', 'größe', '日本語', 'привет', 'a\tb\nc', '👍', "echo 'ß'"])
      expect(hiddenCharacters(text)).toEqual([]);
  });
});
