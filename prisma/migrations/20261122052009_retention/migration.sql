-- AlterTable
ALTER TABLE "Run" ADD COLUMN     "eventsRemovedAt" TIMESTAMPTZ(3);

-- CreateIndex
CREATE INDEX "Run_eventsRemovedAt_id_idx" ON "Run"("eventsRemovedAt", "id");
