import { describe, expect, it } from 'vitest';
import { ResultInvalid } from '../../runner/import-result.ts';
import { duration, endingOf, endingOfError, size } from '../../runner/run-outcome.ts';
import {
  defaultSandboxLimits,
  HelperFailed,
  ImageMissing,
  NoSpace,
  SandboxGone,
  type SandboxResult,
  SandboxUnreachable,
} from '../../runner/sandbox/port.ts';
import { AppError } from '../../src/contracts/errors.ts';

const ended = (change: Partial<SandboxResult>): SandboxResult => ({
  cause: 'exit',
  exitCode: 0,
  oomKilled: false,
  durationMs: 10,
  ...change,
});

describe('how a run ends', () => {
  it('follows from how its command ended', () => {
    const table: [Partial<SandboxResult>, string, string | undefined, string][] = [
      [{}, 'succeeded', undefined, 'The command succeeded.'],
      [{ exitCode: 7 }, 'failed', 'exit_code', 'The command ended with exit code 7.'],
      [{ exitCode: 139, signal: 'SIGSEGV' }, 'failed', 'signal', 'The command was ended by SIGSEGV.'],
      [{ cause: 'timed_out', exitCode: 143 }, 'timed_out', 'timed_out', 'The command ran longer than 30 min and was stopped.'],
      [{ cause: 'output_limit' }, 'failed', 'output_limit', 'The command wrote more than 64 MiB of output and was stopped.'],
      [{ cause: 'memory_limit' }, 'failed', 'memory_limit', 'The command needed more than 2 GiB of memory.'],
      [{ cause: 'disk_limit' }, 'failed', 'disk_limit', 'The working copy is full: it may hold 4 GiB, the repository included.'],
      [{ cause: 'stopped' }, 'cancelled', 'stopped', 'The command was stopped on request.'],
      [
        { cause: 'lost' },
        'interrupted',
        'sandbox_lost',
        'The command was killed from outside: by the container engine or a restart of the machine.',
      ],
    ];
    for (const [change, outcome, cause, message] of table) {
      const { cause: given, ...rest } = endingOf(ended(change), defaultSandboxLimits);
      expect({ ...rest, cause: given }).toEqual({ outcome, cause, message });
    }
  });

  it('follows from what went wrong around it, with a sentence for people', () => {
    const table: [unknown, string, string, RegExp][] = [
      [
        new AppError('DH-502', { source: '/srv/web', branch: 'x' }),
        'failed',
        'base_missing',
        /^\/srv\/web has no branch `x`\. Push .* DH-502$/,
      ],
      [new AppError('DH-508', { detail: 'full' }), 'failed', 'disk_limit', /DH-508$/],
      [new SandboxGone('run_1', 'x'), 'interrupted', 'sandbox_lost', /does not exist any more\.$/],
      [new SandboxUnreachable('x'), 'failed', 'sandbox_unavailable', /was not started\.$/],
      [
        new ImageMissing('deckhand-sandbox:1'),
        'failed',
        'image_missing',
        /deckhand-sandbox:1 is not on the container engine; `npm run image` builds it\.$/,
      ],
      [
        new NoSpace('The files do not fit'),
        'failed',
        'disk_limit',
        /^There is no room for the working copy\. The files do not fit\.$/,
      ],
      [
        Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC', syscall: 'write' }),
        'failed',
        'disk_limit',
        /no space left on device, write.* DH-508$/,
      ],
      [new ResultInvalid('object is damaged'), 'failed', 'result_invalid', /could not be taken over: object is damaged\.$/],
      [new HelperFailed(['sh'], 128, 'warning: x\nfatal: bad thing\n'), 'failed', 'result_invalid', /taken over: bad thing\.$/],
      [
        new HelperFailed(['sh'], 128, "fatal: sha1 file 'x' write error. Out of diskspace\n"),
        'failed',
        'result_invalid',
        /too large\.$/,
      ],
      [new HelperFailed(['sh'], 1, '', 'output_limit'), 'failed', 'result_invalid', /they are too large\.$/],
      [
        new TypeError('x is not a function'),
        'failed',
        'internal',
        /^An error inside Deckhand ended the run \(reference run_1\)\.$/,
      ],
    ];
    for (const [error, outcome, cause, message] of table) {
      const ending = endingOfError(error, 'run_1');
      expect(ending).toMatchObject({ outcome, cause });
      expect(ending.message).toMatch(message);
    }
  });

  it('writes times and sizes with their units', () => {
    expect([1000, 90_000, 3_600_000, 5_430_000, 250].map(duration)).toEqual([
      '1 s',
      '1 min 30 s',
      '1 h',
      '1 h 30 min 30 s',
      '250 ms',
    ]);
    expect([512, 1024, 1536 * 1024, 2 * 1024 ** 3].map(size)).toEqual(['512 bytes', '1 KiB', '1.5 MiB', '2 GiB']);
  });
});
