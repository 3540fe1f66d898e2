using System.Numerics;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using KcdDelegation.Kerberos.Crypto;

namespace KcdDelegation.Kerberos.Tests.Crypto;

/// <summary>The managed hashes compared with the platform's.</summary>
public sealed class CompressionTests
{
    private const int LongestMessage = 400;

    public CompressionTests() =>
        Assert.SkipUnless(CipherPathSelection.CanAccelerate, "The processor has no instructions for the accelerated path.");

    [Fact]
    public void SHA_1_equals_the_platforms_hash_at_every_length()
    {
        for (int length = 0; length <= LongestMessage; length++)
        {
            var message = RandomNumberGenerator.GetBytes(length);
            var state = Sha1State.Initial;
            var schedule = new uint[Sha1Compression.ScheduleLength];
            var alone = default(NoCompanion);
            foreach (var block in Blocks(message, Sha1Compression.BlockLength))
                Sha1Compression.Compress(ref state, block, schedule, ref alone);
            var digest = new byte[Sha1State.DigestLength];
            state.Write(digest);
            digest.ShouldBe(SHA1.HashData(message));
        }
    }

    [Fact]
    public void SHA_256_equals_the_platforms_hash_at_every_length() => ShouldAgree<uint, Sha256>(SHA256.HashData);

    [Fact]
    public void SHA_384_equals_the_platforms_hash_at_every_length() => ShouldAgree<ulong, Sha384>(SHA384.HashData);

    private static void ShouldAgree<TWord, THash>(Func<byte[], byte[]> hash)
        where TWord : unmanaged, IBinaryInteger<TWord>
        where THash : struct, ISha2<TWord>
    {
        for (int length = 0; length <= LongestMessage; length++)
        {
            var message = RandomNumberGenerator.GetBytes(length);
            var state = THash.Initial;
            var schedule = new TWord[Sha2Compression.ScheduleLength];
            var alone = default(NoCompanion);
            foreach (var block in Blocks(message, Sha2Compression.WordsPerBlock * Unsafe.SizeOf<TWord>()))
                Sha2Compression.Compress<TWord, THash, NoCompanion>(ref state, block, schedule, ref alone);
            var words = new byte[8 * Unsafe.SizeOf<TWord>()];
            state.Write(words);
            words[..THash.DigestLength].ShouldBe(hash(message));
        }
    }

    private static IEnumerable<byte[]> Blocks(byte[] message, int blockLength)
    {
        int whole = message.Length / blockLength * blockLength;
        var end = new byte[2 * blockLength];
        message.AsSpan(whole).CopyTo(end);
        int endLength = AuthenticatorCipher.PadForHash(end, message.Length - whole, blockLength, message.Length).Length;
        return ((byte[])[.. message.AsSpan(0, whole), .. end.AsSpan(0, endLength)]).Chunk(blockLength);
    }
}
