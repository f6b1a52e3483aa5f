/** What Slack makes of a file by its name: type, label, and whether it is shown as a snippet. */
export interface FileType {
  filetype: string;
  pretty: string;
  mimetype: string;
  text: boolean;
}

const TYPES: Record<string, FileType> = {
  png: { filetype: 'png', pretty: 'PNG', mimetype: 'image/png', text: false },
  jpg: { filetype: 'jpg', pretty: 'JPEG', mimetype: 'image/jpeg', text: false },
  jpeg: { filetype: 'jpg', pretty: 'JPEG', mimetype: 'image/jpeg', text: false },
  gif: { filetype: 'gif', pretty: 'GIF', mimetype: 'image/gif', text: false },
  svg: { filetype: 'svg', pretty: 'SVG', mimetype: 'image/svg+xml', text: false },
  pdf: { filetype: 'pdf', pretty: 'PDF', mimetype: 'application/pdf', text: false },
  zip: { filetype: 'zip', pretty: 'Zip', mimetype: 'application/zip', text: false },
  gz: { filetype: 'gzip', pretty: 'Gzip', mimetype: 'application/gzip', text: false },
  diff: { filetype: 'diff', pretty: 'Diff', mimetype: 'text/plain', text: true },
  patch: { filetype: 'diff', pretty: 'Diff', mimetype: 'text/plain', text: true },
  txt: { filetype: 'text', pretty: 'Plain Text', mimetype: 'text/plain', text: true },
  log: { filetype: 'text', pretty: 'Plain Text', mimetype: 'text/plain', text: true },
  md: { filetype: 'markdown', pretty: 'Markdown', mimetype: 'text/plain', text: true },
  json: { filetype: 'json', pretty: 'JSON', mimetype: 'application/json', text: true },
  yaml: { filetype: 'yaml', pretty: 'YAML', mimetype: 'text/plain', text: true },
  yml: { filetype: 'yaml', pretty: 'YAML', mimetype: 'text/plain', text: true },
  js: { filetype: 'javascript', pretty: 'JavaScript', mimetype: 'text/plain', text: true },
  ts: { filetype: 'typescript', pretty: 'TypeScript', mimetype: 'text/plain', text: true },
  py: { filetype: 'python', pretty: 'Python', mimetype: 'text/plain', text: true },
  go: { filetype: 'go', pretty: 'Go', mimetype: 'text/plain', text: true },
  rs: { filetype: 'rust', pretty: 'Rust', mimetype: 'text/plain', text: true },
  sh: { filetype: 'shell', pretty: 'Shell', mimetype: 'text/plain', text: true },
  sql: { filetype: 'sql', pretty: 'SQL', mimetype: 'text/plain', text: true },
  html: { filetype: 'html', pretty: 'HTML', mimetype: 'text/html', text: true },
  css: { filetype: 'css', pretty: 'CSS', mimetype: 'text/css', text: true },
  csv: { filetype: 'csv', pretty: 'CSV', mimetype: 'text/csv', text: true },
};

const BINARY: FileType = { filetype: 'binary', pretty: 'Binary', mimetype: 'application/octet-stream', text: false };

/** `snippet_type` values Slack knows; a subset of its list, with the languages a code host is likely to show. */
const SNIPPETS = new Set([
  ...Object.values(TYPES).flatMap((type) => (type.text ? [type.filetype] : [])),
  'c',
  'cpp',
  'csharp',
  'dockerfile',
  'java',
  'kotlin',
  'lua',
  'php',
  'powershell',
  'r',
  'ruby',
  'scala',
  'swift',
  'xml',
]);

export function isSnippetType(name: string): boolean {
  return SNIPPETS.has(name);
}

export function typeOfName(name: string): FileType {
  const extension = /\.([A-Za-z0-9]+)$/.exec(name)?.[1]?.toLowerCase() ?? '';
  return TYPES[extension] ?? BINARY;
}

export function typeOfSnippet(snippetType: string): FileType {
  const known = Object.values(TYPES).find((type) => type.filetype === snippetType && type.text);
  return known ?? { filetype: snippetType, pretty: snippetType, mimetype: 'text/plain', text: true };
}
