/** What a test runner says of itself. Its words are those of the checked code: for people, nothing is decided by them. */
interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

type Reader = (text: string) => Counts | undefined;

/** `packages` where single tests are not named. */
type Unit = 'tests' | 'packages';

/** In order: the first that finds its own lines is taken. */
const readers: readonly { unit: Unit; read: Reader }[] = [
  { unit: 'tests', read: vitest },
  { unit: 'tests', read: jest },
  { unit: 'tests', read: cargo },
  { unit: 'tests', read: pytest },
  { unit: 'tests', read: node },
  { unit: 'tests', read: goTests },
  { unit: 'packages', read: goPackages },
];

/**
 * `214 passed, 1 failed` from the output of node --test, vitest, jest, pytest, go test or cargo test; several runs of one runner are added up.
 * Undefined: nothing known is in it.
 */
export function checkSummary(output: string): string | undefined {
  const text = plainLines(output);
  for (const { unit, read } of readers) {
    const counts = read(text);
    if (counts !== undefined && counts.passed + counts.failed + counts.skipped > 0) return wordsOf(counts, unit);
  }
  return undefined;
}

function wordsOf({ passed, failed, skipped }: Counts, unit: Unit): string {
  const of = unit === 'packages' ? ` ${passed === 1 ? 'package' : 'packages'}` : '';
  return [
    `${passed}${of} passed`,
    ...(failed > 0 ? [`${failed} failed`] : []),
    ...(skipped > 0 ? [`${skipped} skipped`] : []),
  ].join(', ');
}

/** Without colours, and with plain ends of lines. */
function plainLines(output: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences begin with one
  return output.replace(/\x1b\[[0-9;?]*[A-Za-z]/g, '').replace(/\r\n?/g, '\n');
}

const none: Counts = { passed: 0, failed: 0, skipped: 0 };

function added(all: readonly Counts[]): Counts | undefined {
  if (all.length === 0) return undefined;
  return all.reduce(
    (sum, one) => ({ passed: sum.passed + one.passed, failed: sum.failed + one.failed, skipped: sum.skipped + one.skipped }),
    none,
  );
}

/** The number before each of these words in a line. */
function counted(line: string, words: { passed: RegExp; failed: RegExp; skipped: RegExp }): Counts {
  const sum = (pattern: RegExp) => [...line.matchAll(pattern)].reduce((total, match) => total + Number(match[1]), 0);
  return { passed: sum(words.passed), failed: sum(words.failed), skipped: sum(words.skipped) };
}

const common = {
  passed: /(\d{1,9}) passed\b/g,
  failed: /(\d{1,9}) failed\b/g,
  skipped: /(\d{1,9}) (?:skipped|todo)\b/g,
};

/** `      Tests  1 failed | 214 passed | 2 skipped (217)` */
function vitest(text: string): Counts | undefined {
  return added([...text.matchAll(/^ {1,8}Tests {2}(\d.*)$/gm)].map(([line]) => counted(line, common)));
}

/** `Tests:       1 failed, 2 skipped, 214 passed, 217 total` */
function jest(text: string): Counts | undefined {
  return added([...text.matchAll(/^Tests: {2,}(\d.*\d total)$/gm)].map(([line]) => counted(line, common)));
}

/** `test result: FAILED. 5 passed; 1 failed; 2 ignored; 0 measured; 0 filtered out`, one for each program of tests. */
function cargo(text: string): Counts | undefined {
  const words = { ...common, skipped: /(\d{1,9}) ignored\b/g };
  return added([...text.matchAll(/^test result: \w+\. .*$/gm)].map(([line]) => counted(line, words)));
}

/** `===== 1 failed, 214 passed, 2 skipped in 3.21s =====`, without the marks when it is quiet. */
function pytest(text: string): Counts | undefined {
  const words = { ...common, failed: /(\d{1,9}) (?:failed|errors?)\b/g, skipped: /(\d{1,9}) (?:skipped|xfailed|deselected)\b/g };
  const line = /^(?:=+ )?\d{1,9} [a-z]+(?:, \d{1,9} [a-z]+)* in \d[\d.]*s(?: .*)?$/gm;
  return added([...text.matchAll(line)].map(([found]) => counted(found, words)));
}

/** `ℹ pass 214`, `ℹ fail 1`, `ℹ skipped 2`, with `#` where it is not read by people. */
function node(text: string): Counts | undefined {
  const sum = (word: string) => {
    const found = [...text.matchAll(new RegExp(`^(?:ℹ|#) ${word} (\\d{1,9})$`, 'gm'))];
    return found.length === 0 ? undefined : found.reduce((total, match) => total + Number(match[1]), 0);
  };
  const [passed, failed] = [sum('pass'), sum('fail')];
  if (passed === undefined || failed === undefined) return undefined;
  return { passed, failed: failed + (sum('cancelled') ?? 0), skipped: (sum('skipped') ?? 0) + (sum('todo') ?? 0) };
}

/** `--- PASS: TestName (0.00s)`: only where each test is named, else those that failed are all there is. */
function goTests(text: string): Counts | undefined {
  const of = (word: string) => [...text.matchAll(new RegExp(`^--- ${word}: \\S+ \\([\\d.]+s\\)$`, 'gm'))].length;
  const passed = of('PASS');
  return passed === 0 ? undefined : { passed, failed: of('FAIL'), skipped: of('SKIP') };
}

/** `ok  \tacme/web\t0.012s`, `FAIL\tacme/web\t0.01s` */
function goPackages(text: string): Counts | undefined {
  const passed = [...text.matchAll(/^ok {2}\t\S+\t.*$/gm)].length;
  const failed = [...text.matchAll(/^FAIL\t\S+(?:\t| \[).*$/gm)].length;
  return passed + failed === 0 ? undefined : { passed, failed, skipped: 0 };
}
