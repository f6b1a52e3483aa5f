import type { DiscordFile, DiscordMessage, DiscordPart, DiscordState } from '../discord-page-api.ts';
import { list, record, text } from '../page/json.ts';
import { ButtonPart } from './button.tsx';
import { Attachment } from './files.tsx';
import { Markdown } from './markdown.tsx';
import { Select } from './select.tsx';

/** What a component needs of the message it is in. */
export interface ComponentHost {
  state: DiscordState;
  files: DiscordFile[];
  /** Resolves when the app has answered, or failed to. */
  press(customId: string, values?: string[]): Promise<void>;
}

const number = (value: unknown) => (typeof value === 'number' ? value : undefined);

/** The components of a message; see Discord's component reference for the types. */
export function Components({ parts, host }: { parts: DiscordPart[]; host: ComponentHost }) {
  return (
    <>
      {parts.map((part, at) => (
        <Part key={`${String(part.id ?? at)}`} part={part} host={host} />
      ))}
    </>
  );
}

function Part({ part, host }: { part: DiscordPart; host: ComponentHost }) {
  const inner = list(part.components);
  switch (part.type) {
    case 1:
      return (
        <div class="row">
          <Components parts={inner} host={host} />
        </div>
      );
    case 2:
      return <ButtonPart part={part} press={host.press} />;
    case 3:
    case 5:
    case 6:
    case 7:
    case 8:
      return <Select part={part} state={host.state} onChosen={(values) => host.press(text(part.custom_id), values)} />;
    case 9:
      return (
        <div class="section">
          <div class="section-text">
            <Components parts={inner} host={host} />
          </div>
          <Components parts={[record(part.accessory)]} host={host} />
        </div>
      );
    case 10:
      return <Markdown text={text(part.content)} state={host.state} />;
    case 11:
      return <Picture class="thumbnail" url={text(record(part.media).url)} alt={text(part.description)} files={host.files} />;
    case 12:
      return (
        <div class="gallery">
          {list(part.items).map((item, at) => (
            <Picture key={`${at}`} class="" url={text(record(item.media).url)} alt={text(item.description)} files={host.files} />
          ))}
        </div>
      );
    case 13: {
      const file = named(text(record(part.file).url), host.files);
      return file === undefined ? null : <Attachment file={file} />;
    }
    case 14:
      return <hr class={`${part.divider === false ? 'bare' : ''} ${part.spacing === 2 ? 'wide' : ''}`} />;
    case 17: {
      const color = number(part.accent_color);
      return (
        <div
          class={`container ${color === undefined ? '' : 'accent'}`}
          style={color === undefined ? {} : { borderLeftColor: hex(color) }}
        >
          <Components parts={inner} host={host} />
        </div>
      );
    }
    default:
      return null;
  }
}

function hex(color: number): string {
  return `#${color.toString(16).padStart(6, '0')}`;
}

function named(url: string, files: DiscordFile[]): DiscordFile | undefined {
  const name = /^attachment:\/\/(.+)$/.exec(url)?.[1];
  return files.find((file) => file.name === name);
}

function Picture({ url, alt, files, class: kind }: { url: string; alt: string; files: DiscordFile[]; class: string }) {
  return <img class={kind} src={named(url, files)?.url ?? url} alt={alt} />;
}

/** Whether a component of the tree shows this file. */
export function isShown(file: DiscordFile, parts: DiscordPart[]): boolean {
  return JSON.stringify(parts).includes(JSON.stringify(`attachment://${file.name}`));
}

/** Embeds, the older way to a card. */
export function Embeds({ message, state }: { message: DiscordMessage; state: DiscordState }) {
  return (
    <>
      {message.embeds.map((embed, at) => (
        <div key={`${at}`} class="container accent" style={{ borderLeftColor: hex(number(embed.color) ?? 0x1e1f22) }}>
          {embed.author === undefined ? null : <p class="embed-author">{text(record(embed.author).name)}</p>}
          {embed.title === undefined ? null : (
            <p class="embed-title">
              <Markdown text={text(embed.title)} state={state} inline />
            </p>
          )}
          {embed.description === undefined ? null : <Markdown text={text(embed.description)} state={state} />}
          {list(embed.fields).map((field, n) => (
            <div key={`${n}`}>
              <b>{text(field.name)}</b>
              <Markdown text={text(field.value)} state={state} />
            </div>
          ))}
          {embed.footer === undefined ? null : <p class="subtext">{text(record(embed.footer).text)}</p>}
        </div>
      ))}
    </>
  );
}
