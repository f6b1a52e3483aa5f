import { mkdir, statfs } from 'node:fs/promises';
import type { DiskState } from '../src/contracts/housekeeping.ts';

/** How much of the disk of the data directory Deckhand may take: so many bytes, a part of the disk, or all of it. */
export type DiskQuota = { bytes: number } | { percent: number } | 'none';

export async function diskState(dataDir: string, quota: DiskQuota): Promise<DiskState> {
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const { bavail, blocks, bsize } = await statfs(dataDir);
  return { free: bavail * bsize, quota: bytesOf(quota, blocks * bsize) };
}

function bytesOf(quota: DiskQuota, all: number): number | null {
  if (quota === 'none') return null;
  return 'bytes' in quota ? quota.bytes : Math.floor((all * quota.percent) / 100);
}
