-- CreateTable
CREATE TABLE "Reservation" (
    "runId" TEXT NOT NULL,
    "request" TEXT NOT NULL,
    "workspaceId" TEXT NOT NULL,
    "taskId" TEXT NOT NULL,
    "runnerId" TEXT NOT NULL,
    "life" INTEGER NOT NULL,
    "usd" DOUBLE PRECISION NOT NULL,
    "expiresAt" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "Reservation_pkey" PRIMARY KEY ("runId","request")
);

-- CreateIndex
CREATE INDEX "Reservation_taskId_idx" ON "Reservation"("taskId");

-- CreateIndex
CREATE INDEX "Interaction_taskId_idx" ON "Interaction"("taskId");

-- AddForeignKey
ALTER TABLE "Reservation" ADD CONSTRAINT "Reservation_runId_fkey" FOREIGN KEY ("runId") REFERENCES "Run"("id") ON DELETE RESTRICT ON UPDATE CASCADE;
