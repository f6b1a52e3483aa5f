-- CreateTable
CREATE TABLE "Examination" (
    "id" TEXT NOT NULL,
    "workspaceId" TEXT NOT NULL,
    "asker" JSONB NOT NULL,
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "dueAt" TIMESTAMPTZ(3) NOT NULL,
    "createdAt" TIMESTAMPTZ(3) NOT NULL,
    "endedAt" TIMESTAMPTZ(3),

    CONSTRAINT "Examination_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "Examination_endedAt_dueAt_idx" ON "Examination"("endedAt", "dueAt");
