-- AlterTable
ALTER TABLE "Channel" ADD COLUMN     "isPrivate" BOOLEAN NOT NULL DEFAULT false,
ADD COLUMN     "privateSet" BOOLEAN NOT NULL DEFAULT false;

-- AlterTable
ALTER TABLE "Task" ADD COLUMN     "originId" TEXT;

-- AddForeignKey
ALTER TABLE "Task" ADD CONSTRAINT "Task_originId_fkey" FOREIGN KEY ("originId") REFERENCES "Channel"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- What exists was asked for where its first thread is.
UPDATE "Task" t SET "originId" = (
  SELECT h."channelId" FROM "Thread" h WHERE h."taskId" = t."id" ORDER BY h."id" LIMIT 1
);
