/** The time of day, as a port: whatever computes with time takes a clock, so that its tests decide what time it is. */
export interface Clock {
  now(): Date;
}

export const systemClock: Clock = { now: () => new Date() };
