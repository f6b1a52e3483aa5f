import type { ChatAdapter } from './contracts/chat-adapter.ts';
import type { DoctorProbe } from './doctor.ts';

/** What a place to run commands finds out about itself; see `Sandbox.probe`. */
interface SelfCheck {
  name: string;
  ok: boolean;
  harmless?: boolean | undefined;
  detail: string;
  remedy?: string | undefined;
}

/** Is the platform connected, and may Deckhand do there what it needs? */
export function platformProbe(adapter: Pick<ChatAdapter, 'platform' | 'health'>): DoctorProbe {
  return {
    name: adapter.platform,
    async run() {
      const { ok, detail, remedy } = await adapter.health();
      return { name: adapter.platform, state: ok ? 'ok' : 'failed', detail, remedy };
    },
  };
}

/**
 * Can commands run, and are they walled in as they should be? One line when all is well, else one for each thing that is not.
 * `otherwise`: what is used instead when this one does not work, so that a failure is only a warning.
 */
export function sandboxProbe(
  kind: string,
  probe: (signal: AbortSignal) => Promise<SelfCheck[]>,
  otherwise?: string,
): DoctorProbe {
  const name = `sandbox ${kind}`;
  return {
    name,
    withinMs: 20_000, // starts a container and looks around in it
    async run(signal) {
      const checks = await probe(signal);
      const wrong = checks.filter((check) => !check.ok);
      if (wrong.length === 0) {
        const found = checks.slice(0, 3).map((check) => check.detail);
        return { name, state: 'ok', detail: `${found.join('; ')}; ${checks.length} checks hold.` };
      }
      return wrong.map((check) => ({
        name,
        state: otherwise === undefined && check.harmless !== true ? 'failed' : 'warning',
        detail: `${check.name}: ${sentence(check.detail)}${otherwise === undefined ? '' : ` ${otherwise}`}`,
        remedy: check.remedy,
      }));
    },
  };
}

function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

/** The queue answers and says how much waits in it. */
export function queueProbe(counts: () => Promise<{ waiting: number; delayed: number; active: number }>): DoctorProbe {
  return {
    name: 'queue',
    async run() {
      const { waiting, delayed, active } = await counts();
      return { name: 'queue', state: 'ok', detail: `${active} active, ${waiting} waiting, ${delayed} for later.` };
    },
  };
}
