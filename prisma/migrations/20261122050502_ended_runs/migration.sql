-- CreateIndex
CREATE INDEX "Run_projectId_endedAt_idx" ON "Run"("projectId", "endedAt");
