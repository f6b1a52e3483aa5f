-- CreateIndex
CREATE INDEX "Run_waiting_idx" ON "Run"("runsOn", "projectId", "requestedById", "queuedAt", "id") WHERE ("state" = 'queued' AND "dispatchedAt" IS NULL);

-- CreateIndex
CREATE INDEX "Run_placed_idx" ON "Run"("placedOn") WHERE ("state" = 'queued' AND "dispatchedAt" IS NOT NULL);
