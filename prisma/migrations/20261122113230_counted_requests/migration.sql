-- CreateTable
CREATE TABLE "CountedRequest" (
    "runId" TEXT NOT NULL,
    "request" TEXT NOT NULL,
    "workspaceId" TEXT NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "CountedRequest_pkey" PRIMARY KEY ("runId","request")
);

-- AddForeignKey
ALTER TABLE "CountedRequest" ADD CONSTRAINT "CountedRequest_runId_fkey" FOREIGN KEY ("runId") REFERENCES "Run"("id") ON DELETE RESTRICT ON UPDATE CASCADE;
