import type { PageFile } from '../telegram-page-api.ts';
import { Icon } from './icons.tsx';

/** Photos to look at, documents to download. */
export function Files({ files }: { files: readonly PageFile[] }) {
  return (
    <>
      {files.map((file) =>
        file.is_photo ? (
          <a key={file.id} class="photo" href={file.url} target="_blank" rel="noreferrer">
            <img src={file.url} alt={file.name} style={shape(file)} />
          </a>
        ) : (
          <a key={file.id} class="document" href={`${file.url}?download=1`} title={`Download ${file.name}`}>
            <span class="document-icon">
              {file.type.startsWith('image/') ? <img src={file.url} alt="" /> : <Icon name="file" />}
            </span>
            <span class="document-name">
              <b>{file.name}</b>
              <small>{sizeOf(file.size)} · Download</small>
            </span>
          </a>
        ),
      )}
    </>
  );
}

/** Keeps the place of a picture before it is loaded. */
function shape({ width, height }: PageFile): { aspectRatio: string } | undefined {
  return width === undefined || height === undefined ? undefined : { aspectRatio: `${width} / ${height}` };
}

function sizeOf(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  return bytes < 1024 * 1024 ? `${(bytes / 1024).toFixed(1)} KB` : `${(bytes / 1024 / 1024).toFixed(1)} MB`;
}
