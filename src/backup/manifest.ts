import { z } from 'zod';

/** First entry of a backup: what it is and what it takes to use it. */
export const manifestSchema = z.object({
  format: z.literal(1),
  /** Version of Deckhand that made it. */
  version: z.string(),
  createdAt: z.iso.datetime(),
  /** Identity of the data directory its files are from. */
  hostId: z.string(),
  /** Migrations that its database had, in their order: what its rows look like. */
  migrations: z.array(z.object({ name: z.string(), checksum: z.string() })).min(1),
  /** Which keys its stored credentials are encrypted with, the newest one as `id`, and whether they are inside. */
  key: z.object({ id: z.string(), older: z.array(z.string()).default([]), included: z.boolean() }),
});

export type Manifest = z.infer<typeof manifestSchema>;

/** Tables in the order in which their rows follow: each after those it refers to. */
export const tablesSchema = z.array(z.object({ name: z.string(), columns: z.array(z.string()).min(1) }));

export type Table = z.infer<typeof tablesSchema>[number];

export const sequencesSchema = z.array(z.object({ name: z.string(), value: z.string(), called: z.boolean() }));

/** Last entry: without it the backup is not whole. */
export const sealSchema = z.object({
  entries: z.number().int(),
  /** Of all contents. */
  bytes: z.number().int(),
  /** Over name, size and checksum of every entry before this one. */
  sha256: z.string(),
});

export type Seal = z.infer<typeof sealSchema>;

/** Names of the entries. */
export const entryNames = {
  manifest: 'deckhand-backup.json',
  key: 'secret-key',
  tables: 'database/tables.json',
  sequences: 'database/sequences.json',
  rows: (table: string, part: number) => `database/${table}/${String(part).padStart(6, '0')}.copy`,
  rowsPattern: /^database\/([A-Za-z]\w*)\/\d+\.copy$/,
  file: (path: string) => `files/${path}`,
  filePattern: /^files\/(.+)$/,
  seal: 'checksum.json',
} as const;
