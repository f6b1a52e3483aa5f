/**
 * Reads what a program writes to a terminal: text, control characters, escape sequences. One pass, and a state small enough to keep
 * between two pieces of output, so that a sequence cut in the middle is still recognised. (Node's stripVTControlCharacters needs the
 * whole text and takes quadratic time on hostile input.)
 */
export interface TerminalState {
  mode: 'text' | 'escape' | 'csi' | 'string' | 'string_escape';
  /** Parameters of the control sequence being read. */
  params: string;
}

export const terminalStart: TerminalState = { mode: 'text', params: '' };

export interface TerminalSink {
  /** A run of printable characters, tabs included. */
  text(run: string): void;
  /** One of `\n`, `\r`, `\b`; other control characters do nothing here. */
  control(character: '\n' | '\r' | '\b'): void;
  /** A control sequence, e.g. params `2` and final `K`: erase the line. Colours come here too. */
  sequence(params: string, final: string): void;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
const special = /[\u0000-\u0008\u000a-\u001f\u007f-\u009f]/g;
const longestParams = 64;

export function readTerminal(state: TerminalState, input: string, sink: TerminalSink): TerminalState {
  let { mode, params } = state;
  let at = 0;
  while (at < input.length) {
    if (mode === 'text') {
      special.lastIndex = at;
      const found = special.exec(input);
      const end = found === null ? input.length : found.index;
      if (end > at) sink.text(input.slice(at, end));
      at = end;
      if (found === null) break;
      at += 1;
      const character = found[0];
      if (character === '\n' || character === '\r' || character === '\b') sink.control(character);
      else if (character === '\u001b') mode = 'escape';
      else if (character === '\u009b') [mode, params] = ['csi', ''];
      else if ('\u0090\u0098\u009d\u009e\u009f'.includes(character)) mode = 'string';
      continue;
    }
    const character = input.charAt(at);
    if (character === '\n') {
      // A sequence never spans lines: an unfinished one must not swallow the output after it.
      mode = 'text';
      continue;
    }
    at += 1;
    if (mode === 'escape') {
      if (character === '[') [mode, params] = ['csi', ''];
      else if (']PX^_'.includes(character)) mode = 'string';
      else if (character < ' ' || character > '/') mode = 'text'; // else an intermediate byte: one more follows
    } else if (mode === 'csi') {
      if (character >= '@' && character <= '~') {
        sink.sequence(params, character);
        mode = 'text';
      } else if (character < ' ' || character > '?' || params.length >= longestParams) {
        mode = 'text';
      } else params += character;
    } else if (mode === 'string') {
      if (character === '\u0007' || character === '\u009c' || character === '\u0018') mode = 'text';
      else if (character === '\u001b') mode = 'string_escape';
    } else mode = character === '\\' ? 'text' : 'string';
  }
  return { mode, params: mode === 'csi' ? params : '' };
}

/** The text without escape sequences and control characters; newlines, carriage returns and tabs stay. */
export function stripTerminal(text: string): string {
  let kept = '';
  readTerminal(terminalStart, text, {
    text: (run) => {
      kept += run;
    },
    control: (character) => {
      if (character !== '\b') kept += character;
    },
    sequence: () => undefined,
  });
  return kept;
}
