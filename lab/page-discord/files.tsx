import { useState } from 'preact/hooks';
import type { DiscordFile } from '../discord-page-api.ts';
import { Pre } from './markdown.tsx';

function sizeOf(bytes: number): string {
  if (bytes < 1024) return `${bytes} bytes`;
  return bytes < 1024 * 1024 ? `${(bytes / 1024).toFixed(2)} KB` : `${(bytes / 1024 / 1024).toFixed(2)} MB`;
}

const PREVIEW_LINES = 6;

/** A file as the client shows it: pictures in place, texts with their first lines, everything else to download. */
export function Attachment({ file }: { file: DiscordFile }) {
  const [open, setOpen] = useState(false);
  if (/^image\/(png|jpeg|gif)$/.test(file.type)) {
    return (
      <a class="image" href={file.url} target="_blank" rel="noreferrer">
        <img src={file.url} alt={file.description ?? file.name} title={file.name} />
      </a>
    );
  }
  const lines = file.preview?.split('\n') ?? [];
  const shown = open ? lines : lines.slice(0, PREVIEW_LINES);
  return (
    <div class={`attachment ${file.preview === undefined ? '' : 'with-text'}`}>
      {file.preview === undefined ? null : (
        <Pre language={/\.(diff|patch)$/.exec(file.name)?.[1] ?? ''} text={shown.join('\n')} />
      )}
      <div class="attachment-foot">
        {lines.length > PREVIEW_LINES ? (
          <button
            type="button"
            class="expand"
            aria-expanded={open}
            title={open ? 'Collapse' : 'Expand'}
            onClick={() => setOpen(!open)}
          >
            {open ? '▴' : '▾'}
          </button>
        ) : null}
        {file.preview === undefined ? <span class="file-icon">▤</span> : null}
        <span class="file-name">
          <a href={file.url} target="_blank" rel="noreferrer">
            {file.name}
          </a>
          <small>{sizeOf(file.size)}</small>
        </span>
        <a class="download" href={`${file.url}?download=1`} title={`Download ${file.name}`}>
          ⤓
        </a>
      </div>
    </div>
  );
}
