/** In place of `@clerk/nextjs/server`: the person in `SIGNED_IN` is signed in. */
const { SIGNED_IN } = process.env;

export async function auth(): Promise<{ userId: string | null }> {
  return { userId: SIGNED_IN ?? null };
}

export async function currentUser(): Promise<{ fullName: string | null; imageUrl: string } | null> {
  return SIGNED_IN === undefined ? null : { fullName: "Signed In", imageUrl: "https://img.example.com/s.png" };
}
