import type { ComponentChildren } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';

/** Stays at the bottom while the person is there. */
export function Scroller({ count, children }: { count: number; children: ComponentChildren }) {
  const list = useRef<HTMLDivElement>(null);
  const atBottom = useRef(true);
  const [below, setBelow] = useState(false);
  useLayoutEffect(() => {
    const frame = list.current;
    const content = frame?.firstElementChild;
    if (frame === null || !content) return;
    // Cards grow while they are read, and pictures when they have come.
    const watch = new ResizeObserver(() => {
      if (atBottom.current) frame.scrollTop = frame.scrollHeight;
    });
    watch.observe(content);
    watch.observe(frame);
    return () => watch.disconnect();
  }, []);
  useEffect(() => {
    if (!atBottom.current) setBelow(true);
  }, [count]);
  return (
    <div class="scroll-frame">
      <div
        ref={list}
        class="messages"
        role="log"
        aria-live="polite"
        onScroll={(event) => {
          const { scrollHeight, scrollTop, clientHeight } = event.currentTarget;
          atBottom.current = scrollHeight - scrollTop - clientHeight < 60;
          if (atBottom.current) setBelow(false);
        }}
      >
        <div class="messages-content">{children}</div>
      </div>
      {below ? (
        <button
          type="button"
          class="to-present"
          onClick={() => {
            if (list.current !== null) list.current.scrollTop = list.current.scrollHeight;
            setBelow(false);
          }}
        >
          Jump to present
        </button>
      ) : null}
    </div>
  );
}
