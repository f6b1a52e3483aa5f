-- AlterTable
ALTER TABLE "AccessToken" ADD COLUMN     "customRoleId" TEXT;

-- CreateIndex
CREATE INDEX "AccessToken_customRoleId_idx" ON "AccessToken"("customRoleId");

-- AddForeignKey
ALTER TABLE "AccessToken" ADD CONSTRAINT "AccessToken_customRoleId_fkey" FOREIGN KEY ("customRoleId") REFERENCES "CustomRole"("id") ON DELETE RESTRICT ON UPDATE CASCADE;
