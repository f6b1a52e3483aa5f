import { channel } from 'node:diagnostics_channel';

/** Name of the channel on which a process tells itself by which named points it comes, as texts. */
export const pointsChannel = 'deckhand.points';

const points = channel(pointsChannel);

/** The process has come to a point at which somebody may want to end it. Nobody listens but the program that breaks things on purpose. */
export function passPoint(point: string): void {
  if (points.hasSubscribers) points.publish(point);
}
