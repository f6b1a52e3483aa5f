import type { DiscordPerson } from '../discord-page-api.ts';

export function Avatar({ person, size = 40 }: { person: DiscordPerson | undefined; size?: number }) {
  const style = {
    background: person?.color ?? '#5b6770',
    width: `${size}px`,
    height: `${size}px`,
    fontSize: `${Math.round(size * 0.42)}px`,
  };
  return (
    <span class="avatar" style={style} aria-hidden="true">
      {person?.bot === true ? '⚓' : (person?.name ?? '?').charAt(0)}
    </span>
  );
}
