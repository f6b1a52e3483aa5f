/** Errors of changing the secret key: DH-128 to DH-132. Part of the catalogue. */
export const keyErrors = {
  'DH-128': {
    title: 'There is no new secret key',
    text: 'DECKHAND_SECRET_KEY is key {id}, which seals already, and nothing of an earlier change is left to do.',
    remedy:
      'Where the key is set by a variable you make the next one: `openssl rand -base64 32`. docs/operate.md, "Change the secret key", has the steps. Nothing was changed.',
  },
  'DH-129': {
    title: 'A process does not have the key',
    text: 'These processes cannot read what key {id} seals: {who}.',
    remedy:
      'Set DECKHAND_SECRET_KEY or DECKHAND_OTHER_SECRET_KEYS for them, restart them, and try again. `deckhand keys list` shows who has which.',
  },
  'DH-130': {
    title: 'A former secret key is not at hand',
    text: 'Key {id} has sealed until now, and is not among the keys that were given here.',
    remedy:
      'Put it into DECKHAND_OTHER_SECRET_KEYS. Where nobody has it any more, `deckhand keys retire {id} --lose` gives up what it has sealed. Nothing was changed.',
  },
  'DH-131': {
    title: 'The secret key cannot be retired',
    text: 'Key {id}: {why}.',
    remedy: '{remedy} Nothing was changed.',
  },
  'DH-132': {
    title: 'The database is of an older version',
    text: 'It lacks {count} of the changes that this version of Deckhand brings.',
    remedy:
      'Start this version once with `deckhand start`, which brings the database up to date, and try again. Nothing was changed.',
  },
} as const;
