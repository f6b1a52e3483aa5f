/** Line icons, drawn on 24 by 24. */
const paths = {
  send: 'M3 20.5v-6.6L13 12 3 10.1V3.5L22 12z',
  attach: 'M8 12.5l6.2-6.2a3.2 3.2 0 0 1 4.5 4.5l-8.3 8.3a5 5 0 0 1-7.1-7.1L11.500 3.800',
  reply: 'M10 8V4l-7 7 7 7v-4.200c5 0 8.500 1.600 11 5.200-1-5-4-10-11-11z',
  edit: 'M4 20h4L19.500 8.500l-4-4L4 16zM13.500 6.500l4 4',
  remove: 'M5 7h14M9.500 7V4.500h5V7M7 7l1 13h8l1-13M10.500 10.500v6M13.500 10.500v6',
  smile: 'M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM8.500 10h.01M15.500 10h.01M8 14.500c1.200 1.500 2.600 2 4 2s2.800-.5 4-2',
  more: 'M12 6h.01M12 12h.01M12 18h.01',
  close: 'M6 6l12 12M18 6L6 18',
  down: 'M12 4v14M6 12.500l6 6 6-6',
  copy: 'M9 9h10v11H9zM5 15V4h10',
  read: 'M2 13l4.500 4.500L15 8M10.500 16l1.500 1.500L21 8',
  done: 'M4 12.500l5 5L20 7',
  link: 'M8 16L17 7M9.500 7H17v7.500',
  plus: 'M12 5v14M5 12h14',
  file: 'M6 3h8l5 5v13H6zM14 3v5h5',
  gear: 'M12 9a3 3 0 1 0 0 6 3 3 0 0 0 0-6zM12 3v3M12 18v3M3 12h3M18 12h3M5.600 5.600l2.200 2.200M16.200 16.200l2.200 2.200M5.600 18.400l2.200-2.200M16.200 7.800l2.200-2.200',
} as const;

export function Icon({ name }: { name: keyof typeof paths }) {
  const isFilled = name === 'send' || name === 'reply';
  return (
    <svg class={`icon ${isFilled ? 'filled' : ''}`} viewBox="0 0 24 24" aria-hidden="true">
      <path d={paths[name]} />
    </svg>
  );
}
