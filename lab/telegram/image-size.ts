/** Width and height of a PNG, JPEG or GIF by its header; undefined for everything else. */
export function imageSize(content: Buffer): { width: number; height: number } | undefined {
  if (content.length >= 24 && content.toString('latin1', 1, 4) === 'PNG') {
    return { width: content.readUInt32BE(16), height: content.readUInt32BE(20) };
  }
  if (content.length >= 10 && /^GIF8[79]a$/.test(content.toString('latin1', 0, 6))) {
    return { width: content.readUInt16LE(6), height: content.readUInt16LE(8) };
  }
  if (content.length >= 4 && content.readUInt16BE(0) === 0xffd8) return jpegSize(content);
  return undefined;
}

/** Walks the segments of a JPEG up to the start of a frame. */
function jpegSize(content: Buffer): { width: number; height: number } | undefined {
  let at = 2;
  while (at + 9 < content.length && content[at] === 0xff) {
    const marker = content[at + 1] ?? 0;
    const isFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
    if (isFrame) return { width: content.readUInt16BE(at + 7), height: content.readUInt16BE(at + 5) };
    at += 2 + content.readUInt16BE(at + 2);
  }
  return undefined;
}
