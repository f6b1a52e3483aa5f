/**
 * Commands that only look, with the options known to be harmless. A positive list: what is not on it asks. Left out on purpose is
 * every option that writes, runs another program, reads a list of files from a file, or reaches the network.
 */
export interface ReadOnlyCommand {
  /** One-letter options, as for getopt: a colon means that a value follows. */
  short?: string;
  /** Long options without the dashes; `=` at the end: a value must follow, `?`: one may follow after `=`. */
  long?: string;
  /** What stands beside options: nothing, any text, files inside the working copy, or git revisions and files inside it. */
  operands: 'none' | 'text' | 'paths' | 'revisions';
  /** So many leading operands are text (the pattern of grep), unless one of the options in `textOptions` gave it. */
  leadingText?: number;
  textOptions?: readonly string[];
  minOperands?: number;
  maxOperands?: number;
  /** What each operand must look like. */
  operand?: RegExp;
  /** `-20` is a number of lines. */
  counts?: true;
  /** Arguments may be file name patterns that could expand to any name, because no option of it does harm. */
  anyNames?: true;
  /** Even variables may be arguments: nothing given to it can do harm. */
  anyText?: true;
  /** At least one of these options must be there, else it changes something. */
  needs?: readonly string[];
}

/** Short forms are left out where they mean something else: `python -v` runs what comes through its input. */
const version: ReadOnlyCommand = { long: 'version', operands: 'none', needs: ['--version'] };
const shortVersion: ReadOnlyCommand = { short: 'v', long: 'version', operands: 'none', needs: ['-v', '--version'] };

export const readOnlyCommands: Readonly<Record<string, ReadOnlyCommand>> = {
  basename: { short: 'as:z', operands: 'text' },
  cat: { short: 'AbEensTtuv', long: 'number show-all show-ends show-tabs squeeze-blank', operands: 'paths', anyNames: true },
  cd: { operands: 'paths', minOperands: 1, maxOperands: 1, operand: /^[A-Za-z0-9._]/ },
  cksum: { operands: 'paths' },
  cmp: { short: 'bl', operands: 'paths' },
  column: { short: 'ts:c:', operands: 'paths' },
  comm: { short: '123z', operands: 'paths' },
  cut: { short: 'b:c:d:f:sz', long: 'bytes= characters= delimiter= fields= only-delimited complement', operands: 'paths' },
  date: { short: 'uRI', long: 'utc iso-8601? rfc-3339= rfc-email', operands: 'text', maxOperands: 1, operand: /^\+/ },
  df: { short: 'hHiklPTa', operands: 'paths' },
  diff: {
    short: 'uUbBwiqrNsaycC:',
    long: 'unified? brief recursive ignore-case ignore-all-space ignore-space-change new-file side-by-side color? stat',
    operands: 'paths',
  },
  dirname: { short: 'z', operands: 'text' },
  du: { short: 'shakmbcxd:', long: 'summarize human-readable max-depth= total apparent-size', operands: 'paths' },
  echo: { short: 'neE', operands: 'text', anyText: true },
  false: { operands: 'text' },
  file: { short: 'bikLNr', long: 'brief mime mime-type mime-encoding', operands: 'paths' },
  fold: { short: 'bsw:', operands: 'paths' },
  free: { short: 'bkmghtw', operands: 'none' },
  grep: {
    short: 'EFGPivwxcnlLhHqsoraRzIe:m:A:B:C:',
    long: 'extended-regexp fixed-strings perl-regexp ignore-case invert-match word-regexp line-regexp count line-number files-with-matches files-without-match no-filename with-filename quiet only-matching recursive include= exclude= exclude-dir= regexp= max-count= after-context= before-context= context= color? text null',
    operands: 'paths',
    leadingText: 1,
    textOptions: ['-e', '--regexp'],
    counts: true,
  },
  head: { short: 'n:c:qvz', long: 'lines= bytes= quiet verbose', operands: 'paths', counts: true, anyNames: true },
  hexdump: { short: 'Cbcdoxvn:s:', operands: 'paths' },
  hostname: { operands: 'none' },
  id: { short: 'ugGnr', operands: 'none' },
  jq: {
    short: 'rcMSnseajC',
    long: 'raw-output compact-output sort-keys null-input slurp exit-status tab monochrome-output',
    operands: 'paths',
    leadingText: 1,
  },
  ls: {
    short: '1AaBbCcdFfGgHhIiklLmNnopQqRrSstUuvXxZ',
    long: 'all almost-all author classify? color? directory file-type full-time group-directories-first human-readable inode indicator-style= literal no-group numeric-uid-gid recursive reverse size sort= time= time-style= si',
    operands: 'paths',
    anyNames: true,
  },
  md5sum: { short: 'bt', operands: 'paths' },
  nl: { short: 'b:n:w:s:v:', operands: 'paths' },
  nproc: { long: 'all', operands: 'none' },
  od: { short: 'AcdoxvN:j:t:', operands: 'paths' },
  paste: { short: 'd:sz', operands: 'paths' },
  pwd: { short: 'LP', operands: 'none' },
  readlink: { short: 'femn', operands: 'paths' },
  realpath: { short: 'emsz', long: 'relative-to= relative-base=', operands: 'paths' },
  rev: { operands: 'paths' },
  rg: {
    short: 'FivwxcnlLNHISsPoUuzae:m:A:B:C:g:t:T:j:d:',
    long: 'fixed-strings ignore-case smart-case case-sensitive invert-match word-regexp line-regexp count count-matches line-number no-line-number files-with-matches files-without-match files only-matching multiline hidden no-ignore no-heading heading column regexp= max-count= after-context= before-context= context= glob= iglob= type= type-not= max-depth= color= sort= stats json',
    operands: 'paths',
    leadingText: 1,
    textOptions: ['-e', '--regexp', '--files'],
  },
  seq: { short: 'ws:f:', operands: 'text', counts: true },
  sha1sum: { short: 'bt', operands: 'paths' },
  sha256sum: { short: 'bt', operands: 'paths' },
  sleep: { operands: 'text', operand: /^[0-9.]+[smhd]?$/ },
  sort: {
    short: 'bdfgihMnRrVuk:t:szc',
    long: 'reverse numeric-sort unique key= field-separator= version-sort human-numeric-sort ignore-case stable check',
    operands: 'paths',
  },
  stat: { short: 'Lfc:t', long: 'format= printf= terse dereference file-system', operands: 'paths' },
  tac: { operands: 'paths', anyNames: true },
  tail: { short: 'n:c:qvz', long: 'lines= bytes= quiet verbose', operands: 'paths', counts: true, anyNames: true },
  tr: { short: 'cCdst', long: 'complement delete squeeze-repeats', operands: 'text', maxOperands: 2 },
  tree: { short: 'adfilpsugDFhCnL:I:P:', long: 'dirsfirst noreport prune', operands: 'paths' },
  true: { operands: 'text' },
  type: { short: 'atp', operands: 'text' },
  uname: { short: 'asnrvmpio', operands: 'none' },
  uniq: { short: 'cduif:s:w:', operands: 'paths', maxOperands: 1 },
  uptime: { short: 'ps', operands: 'none' },
  wc: { short: 'cmlLw', long: 'bytes chars lines words max-line-length', operands: 'paths', anyNames: true },
  which: { short: 'a', operands: 'text' },
  whoami: { operands: 'none' },

  node: shortVersion,
  npm: shortVersion,
  php: shortVersion,
  python: version,
  python3: version,
  ruby: version,
  perl: version,
  gcc: version,
  'g++': version,
  clang: version,
  java: version,
  javac: version,
  make: version,
  cmake: version,
  bash: version,
  command: { short: 'vV', operands: 'text', needs: ['-v', '-V'] },
};

/** Options of `git log`, `git diff` and `git show` that only change what is printed. */
const gitFormat =
  'stat? shortstat numstat summary name-only name-status patch no-patch raw oneline pretty? format= abbrev-commit abbrev? decorate? no-decorate graph color? no-color word-diff? ignore-all-space ignore-space-change ignore-blank-lines unified= minimal patience histogram find-renames? no-renames diff-filter= no-ext-diff no-textconv no-prefix check cached staged merge-base exit-code quiet';
const gitLog =
  'all branches? tags? remotes? since= after= until= before= author= committer= grep= max-count= skip= reverse merges no-merges first-parent follow date= relative-date topo-order date-order left-right cherry-pick invert-grep regexp-ignore-case full-history source';

/** The same for `git <subcommand>`. Options before the subcommand (`-C`, `-c`, `--exec-path`) are not known to be harmless. */
export const readOnlyGit: Readonly<Record<string, ReadOnlyCommand>> = {
  blame: { short: 'L:wCMsefl', long: 'date= porcelain line-porcelain show-email', operands: 'revisions' },
  branch: {
    short: 'arvl',
    long: 'list all remotes verbose show-current no-color color? contains= merged? no-merged? sort= format=',
    operands: 'none',
  },
  'cat-file': { short: 'ptse', operands: 'revisions' },
  'count-objects': { short: 'vH', operands: 'none' },
  describe: { long: 'tags all always long dirty? abbrev= match= first-parent contains exact-match', operands: 'revisions' },
  diff: { short: 'pubwU:MCRaz', long: gitFormat, operands: 'revisions' },
  'for-each-ref': { long: 'format= sort= count= contains= merged= points-at=', operands: 'text' },
  grep: {
    short: 'EFGPivwlLcnhHqoae:A:B:C:m:',
    long: 'extended-regexp fixed-strings perl-regexp ignore-case invert-match word-regexp count line-number files-with-matches cached untracked max-depth= heading break',
    operands: 'revisions',
    leadingText: 1,
    textOptions: ['-e'],
  },
  log: { short: 'pubwU:MCRin:S:G:L:', long: `${gitFormat} ${gitLog}`, operands: 'revisions', counts: true },
  'ls-files': {
    short: 'cdmosktuvz',
    long: 'cached deleted modified others stage exclude-standard full-name error-unmatch',
    operands: 'revisions',
  },
  'ls-tree': { short: 'drtlz', long: 'name-only name-status full-name full-tree abbrev?', operands: 'revisions' },
  'merge-base': { long: 'all is-ancestor octopus fork-point', operands: 'revisions' },
  'name-rev': { long: 'name-only tags always', operands: 'revisions' },
  reflog: { operands: 'none' },
  remote: { short: 'v', long: 'verbose', operands: 'none' },
  'rev-list': { long: `count ${gitLog}`, short: 'n:', operands: 'revisions', counts: true },
  'rev-parse': {
    long: 'abbrev-ref? short? verify quiet show-toplevel show-prefix show-cdup git-dir is-inside-work-tree is-shallow-repository symbolic-full-name all branches? tags?',
    short: 'q',
    operands: 'revisions',
  },
  shortlog: { short: 'snec', long: 'summary numbered email since= until= no-merges', operands: 'revisions' },
  show: { short: 'pubwU:MCRsq', long: gitFormat, operands: 'revisions' },
  'show-ref': { long: 'heads tags verify quiet hash? dereference head', operands: 'text' },
  status: {
    short: 'sbuvz',
    long: 'short branch show-stash porcelain? long verbose untracked-files? ignored? column? no-column ahead-behind no-ahead-behind renames no-renames',
    operands: 'revisions',
  },
  tag: {
    short: 'ln',
    long: 'list contains= merged? no-merged? sort= format= points-at=',
    operands: 'text',
    needs: ['-l', '--list'],
  },
  version: { operands: 'none' },
  '--version': { operands: 'none' },
};

/** `npm <subcommand>`: only the tree that is installed; everything else runs scripts or asks the registry. */
export const readOnlyNpm: Readonly<Record<string, ReadOnlyCommand>> = {
  ls: { short: 'al', long: 'all json long parseable depth= omit= include= workspaces', operands: 'text' },
  list: { short: 'al', long: 'all json long parseable depth= omit= include= workspaces', operands: 'text' },
  prefix: { operands: 'none' },
  root: { operands: 'none' },
};
