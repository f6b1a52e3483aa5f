import type { PageChat, PageUser, TelegramPageState } from '../telegram-page-api.ts';

/** Colours of groups, chosen by their id. */
const GROUPS = ['#e17076', '#7bc862', '#65aadd', '#a695e7', '#ee7aae', '#6ec9cb', '#faa774'];

export function Avatar({ name, color, isBot = false }: { name: string; color: string; isBot?: boolean }) {
  const initials = name
    .split(/\s+/)
    .slice(0, 2)
    .map(([first]) => first)
    .join('');
  return (
    <span class="avatar" style={{ '--color': color }} aria-hidden="true">
      {isBot ? '⚓' : initials}
    </span>
  );
}

export function UserAvatar({ user }: { user: PageUser | undefined }) {
  return <Avatar name={user?.name ?? '?'} color={user?.color ?? '#888888'} isBot={user?.is_bot ?? false} />;
}

export function ChatAvatar({ chat, state }: { chat: PageChat; state: TelegramPageState }) {
  if (chat.kind === 'private') return <UserAvatar user={state.users.find(({ id }) => id === state.bot.id)} />;
  return <Avatar name={chat.title} color={GROUPS[Math.abs(chat.id) % GROUPS.length] ?? '#65aadd'} />;
}
