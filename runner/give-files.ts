import { chmod, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { NumberedMail } from '../src/contracts/agent.ts';
import { type GivenFile, givenFolder } from '../src/contracts/given-file.ts';
import { filesMessage } from './harness/prompt.ts';
import type { Journey } from './run-journey.ts';
import { gatewayVariable, type Helper } from './sandbox/port.ts';

/** Below the directory of the gateway, which the sandbox sees and cannot write to. */
const passing = 'given';

/**
 * Mail as an agent may read it: files that came with a message lie in its working copy by then, and the message names them. Repeatable:
 * after a restart the same files are put there again.
 */
export async function withFiles(journey: Journey, gateway: string, row: NumberedMail): Promise<NumberedMail> {
  const { mail } = row;
  if (mail.type !== 'message' || mail.files === undefined || mail.files.length === 0) return row;
  const { run } = journey.spec;
  const there: GivenFile[] = [];
  const missing: string[] = [];
  for (const file of mail.files) {
    if (await put(journey, gateway, file)) there.push(file);
    else missing.push(file.name);
  }
  const text = there.length === 0 ? mail.text : filesMessage(run, mail.text, there);
  if (missing.length === 0) return { ...row, mail: { ...mail, text } };
  await journey.note('warning', `Could not be put into the working copy of the agent at work: ${missing.join(', ')}.`);
  return { ...row, mail: { ...mail, text: `${text}\n\nNot there: ${missing.length} of the files could not be put there.` } };
}

/** Through the directory of the gateway: the sandbox itself takes it from there, so that nothing is written through a path of its own. */
async function put({ deps, spec, place, left, ...journey }: Journey, gateway: string, file: GivenFile): Promise<boolean> {
  const bytes = await deps.artifacts.read(file.artifact);
  if (bytes === undefined) return false;
  const directory = join(gateway, passing);
  const name = file.artifact.replaceAll(/[^A-Za-z0-9_]/g, '_');
  const between = join(directory, name);
  try {
    await mkdir(directory, { recursive: true });
    await chmod(directory, 0o711);
    await writeFile(between, bytes);
    await chmod(between, 0o644);
    const { exitCode } = await journey.withSandbox(() => place.sandbox.exec(spec.run, takeHelper(name, file.name), left), left);
    return exitCode === 0;
  } catch (error) {
    left.throwIfAborted();
    deps.logger.warn({ run: spec.run, err: error, file: file.artifact }, 'a file was not put into the sandbox');
    return false;
  } finally {
    await rm(between, { force: true });
  }
}

/** `rm` first: what stands there may be a link that the agent has made. */
function takeHelper(name: string, as: string): Helper {
  const script = `mkdir -p ${givenFolder} && rm -rf -- "$2" && cp -- "\${${gatewayVariable}%/*}/${passing}/$1" "$2"`;
  return {
    argv: ['/bin/sh', '-c', script, 'take', name, `${givenFolder}/${as}`],
    timeMs: 30_000,
    outputBytes: 64 * 1024,
  };
}
