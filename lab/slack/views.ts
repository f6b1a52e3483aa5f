import type { Core } from './core.ts';
import { newId, secret } from './ids.ts';
import type { View } from './model.ts';
import type { ViewContent } from './view-rules.ts';

/** The stack of modals each person has open, and their App Home. */

export const MAX_STACK = 3;

/** Open modals of a person, bottom first. */
export function openViews(core: Core, user: string): View[] {
  return core.state.views.values().filter((view) => view.type === 'modal' && view.user === user);
}

export function homeOf(core: Core, user: string): View | undefined {
  return core.state.views.values().find((view) => view.type === 'home' && view.user === user);
}

/** Puts a new modal on top of the person's stack, or makes their first Home. */
export function pushView(core: Core, user: string, content: ViewContent): View {
  const id = newId('V');
  const below = content.type === 'modal' ? openViews(core, user).at(-1) : undefined;
  const view: View = {
    ...content,
    id,
    user,
    hash: newHash(core),
    root_view_id: below?.root_view_id ?? id,
    previous_view_id: below?.id,
    errors: {},
  };
  core.state.views.put(view);
  core.state.emit({ type: 'view', view });
  return view;
}

export function replaceView(core: Core, view: View, content: ViewContent): View {
  // `type` cannot change; a title that is not sent stays.
  const updated: View = { ...view, ...content, title: content.title ?? view.title, hash: newHash(core), errors: {} };
  core.state.views.put(updated);
  core.state.emit({ type: 'view', view: updated });
  return updated;
}

export function showErrors(core: Core, view: View, errors: Record<string, string>): View {
  const updated: View = { ...view, errors };
  core.state.views.put(updated);
  core.state.emit({ type: 'view', view: updated });
  return updated;
}

export function removeViews(core: Core, views: View[]): void {
  for (const view of views) {
    core.state.views.remove(view.id);
    core.state.emit({ type: 'view_removed', view });
  }
}

function newHash(core: Core): string {
  return `${Math.floor(core.now() / 1000)}.${secret(4)}`;
}
