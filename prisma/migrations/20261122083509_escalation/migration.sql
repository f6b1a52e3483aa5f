-- AlterTable
ALTER TABLE "Interaction" ADD COLUMN     "escalateAt" TIMESTAMPTZ(3),
ADD COLUMN     "escalateTo" TEXT,
ADD COLUMN     "escalatedAt" TIMESTAMPTZ(3);

-- CreateIndex
CREATE INDEX "Interaction_state_escalateAt_idx" ON "Interaction"("state", "escalateAt");
