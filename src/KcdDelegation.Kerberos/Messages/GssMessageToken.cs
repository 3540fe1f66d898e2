using System.Buffers.Binary;
using System.Security.Cryptography;
using KcdDelegation.Kerberos.Crypto;

namespace KcdDelegation.Kerberos.Messages;

/// <summary>The per-message tokens of an established context (RFC 4121 §4.2.6): wrap tokens with and without encryption, and MIC
/// tokens.</summary>
/// <remarks>Header: token ID (2 bytes), flags, FF, EC (2), RRC (2), sequence number (8), big-endian. A MIC token has FF in the bytes of EC
/// and RRC.</remarks>
internal static class GssMessageToken
{
    public const int HeaderLength = 16;

    private const ushort WrapId = 0x0504;
    private const ushort MicId = 0x0404;
    private const byte Filler = 0xFF;
    private const int Rrc = 6;

    /// <summary>Creates a wrap token with encryption (RFC 4121 §4.2.4): the cipher covers the message and a copy of the
    /// header.</summary>
    public static byte[] Seal(KerberosKey key, KeyUsage usage, GssMessageFlags flags, ulong sequence, ReadOnlySpan<byte> message)
    {
        var profile = key.Profile;
        var token = new byte[HeaderLength + profile.Overhead + message.Length + HeaderLength];
        WriteHeader(token, WrapId, flags | GssMessageFlags.Sealed, 0, sequence);
        var cipher = token.AsSpan(HeaderLength);
        RandomNumberGenerator.Fill(cipher[..EncryptionProfile.ConfounderLength]);
        var text = cipher[EncryptionProfile.ConfounderLength..^profile.ChecksumLength];
        message.CopyTo(text);
        token.AsSpan(0, HeaderLength).CopyTo(text[message.Length..]);
        try
        {
            profile.Seal(key, usage, cipher);
        }
        catch (ObjectDisposedException)
        {
            CryptographicOperations.ZeroMemory(token);
            throw;
        }
        return token;
    }

    /// <summary>Creates a wrap token without encryption (RFC 4121 §4.2.4): the message and its checksum.</summary>
    public static byte[] Sign(KerberosKey key, KeyUsage usage, GssMessageFlags flags, ulong sequence, ReadOnlySpan<byte> message)
    {
        var checksumLength = key.Profile.ChecksumLength;
        var token = new byte[HeaderLength + message.Length + checksumLength];
        // "the checksum SHALL be calculated with EC and RRC set to 0".
        WriteHeader(token, WrapId, flags, 0, sequence);
        var checksum = Compute(key, usage, message, token.AsSpan(0, HeaderLength));
        WriteHeader(token, WrapId, flags, (ushort)checksumLength, sequence);
        message.CopyTo(token.AsSpan(HeaderLength));
        checksum.CopyTo(token.AsSpan(HeaderLength + message.Length));
        return token;
    }

    /// <summary>Creates a MIC token (RFC 4121 §4.2.6.1).</summary>
    public static byte[] CreateMic(KerberosKey key, KeyUsage usage, GssMessageFlags flags, ulong sequence, ReadOnlySpan<byte> message)
    {
        var token = new byte[HeaderLength + key.Profile.ChecksumLength];
        WriteMicHeader(token, flags, sequence);
        Compute(key, usage, message, token.AsSpan(0, HeaderLength)).CopyTo(token.AsSpan(HeaderLength));
        return token;
    }

    /// <summary>Verifies a MIC token.</summary>
    /// <exception cref="KerberosException">The token is malformed, has another sequence number, or does not match the message.</exception>
    public static void VerifyMic(
        KerberosKey key, KeyUsage usage, GssMessageFlags flags, ulong sequence, ReadOnlySpan<byte> message, ReadOnlySpan<byte> token)
    {
        Span<byte> header = stackalloc byte[HeaderLength];
        WriteMicHeader(header, flags, sequence);
        if (token.Length != HeaderLength + key.Profile.ChecksumLength || !token[..HeaderLength].SequenceEqual(header))
            throw Malformed("is not the MIC token that was expected next");
        if (!CryptographicOperations.FixedTimeEquals(Compute(key, usage, message, header), token[HeaderLength..]))
            throw KerberosException.Rejected("the MIC token does not match its message");
    }

    /// <summary>Returns whether a wrap token claims to be encrypted.</summary>
    public static bool IsSealed(ReadOnlySpan<byte> token) =>
        token.Length > 2 && ((GssMessageFlags)token[2]).HasFlag(GssMessageFlags.Sealed);

    /// <summary>Opens a wrap token and returns its message in pinned memory, which the caller zeroes.</summary>
    /// <param name="key">The key of the context.</param>
    /// <param name="usage">The key usage of the sender.</param>
    /// <param name="flags">The flags that the token must have. No other flags are accepted.</param>
    /// <param name="sequence">The sequence number that the token must have.</param>
    /// <param name="token">The token.</param>
    /// <exception cref="KerberosException">The token is malformed, is not the one that was expected, or was changed.</exception>
    public static byte[] Open(KerberosKey key, KeyUsage usage, GssMessageFlags flags, ulong sequence, ReadOnlySpan<byte> token)
    {
        if (token.Length < HeaderLength || BinaryPrimitives.ReadUInt16BigEndian(token) != WrapId || token[3] != Filler)
            throw Malformed("is not a wrap token of RFC 4121 §4.2.6.2");
        var seen = (GssMessageFlags)token[2];
        if ((seen & GssMessageFlags.Sealed) != (flags & GssMessageFlags.Sealed))
            {
            throw Malformed(
                flags.HasFlag(GssMessageFlags.Sealed) ? "is not encrypted" : "is encrypted where only a signature was expected");
        }
        if (seen != flags)
            throw Malformed($"has the flags {(byte)seen:x2} instead of {(byte)flags:x2}");
        // Messages arrive in order on one connection, so a gap is as suspicious as a repetition.
        if (BinaryPrimitives.ReadUInt64BigEndian(token[8..]) is var number && number != sequence)
            throw Malformed($"has the sequence number {number} instead of {sequence}: a message was repeated, lost or reordered");
        var body = Unrotate(token[HeaderLength..], BinaryPrimitives.ReadUInt16BigEndian(token[Rrc..]));
        return flags.HasFlag(GssMessageFlags.Sealed)
            ? OpenSealed(key, usage, token[..HeaderLength], body)
            : OpenSigned(key, usage, token[..HeaderLength], body);
    }

    private static byte[] OpenSealed(KerberosKey key, KeyUsage usage, ReadOnlySpan<byte> header, ReadOnlySpan<byte> body)
    {
        var profile = key.Profile;
        var extra = BinaryPrimitives.ReadUInt16BigEndian(header[4..]);
        var length = body.Length - profile.Overhead - HeaderLength - extra;
        if (length < 0)
            throw Malformed("is too short");
        var text = GC.AllocateUninitializedArray<byte>(body.Length - profile.ChecksumLength, pinned: true);
        try
        {
            profile.Decrypt(key, usage, body, text);
            // "the encrypted header has an RRC of 0": everything else in it must equal the header in clear text.
            Span<byte> expected = stackalloc byte[HeaderLength];
            header.CopyTo(expected);
            expected[Rrc..(Rrc + 2)].Clear();
            if (!text.AsSpan(text.Length - HeaderLength).SequenceEqual(expected))
                throw KerberosException.Rejected("the header of a wrap token differs from its encrypted copy");
            var message = GC.AllocateUninitializedArray<byte>(length, pinned: true);
            text.AsSpan(EncryptionProfile.ConfounderLength, length).CopyTo(message);
            return message;
        }
        finally
        {
            CryptographicOperations.ZeroMemory(text);
        }
    }

    private static byte[] OpenSigned(KerberosKey key, KeyUsage usage, ReadOnlySpan<byte> header, ReadOnlySpan<byte> body)
    {
        var checksumLength = key.Profile.ChecksumLength;
        if (BinaryPrimitives.ReadUInt16BigEndian(header[4..]) != checksumLength || body.Length < checksumLength)
            throw Malformed("has a checksum of the wrong length");
        Span<byte> zeroed = stackalloc byte[HeaderLength];
        header.CopyTo(zeroed);
        zeroed[4..8].Clear();
        var message = body[..^checksumLength];
        if (!CryptographicOperations.FixedTimeEquals(Compute(key, usage, message, zeroed), body[^checksumLength..]))
            throw KerberosException.Rejected("the signature of a wrap token does not match its message");
        return message.ToArray();
    }

    /// <summary>Undoes the rotation to the right by RRC bytes (RFC 4121 §4.2.5).</summary>
    private static ReadOnlySpan<byte> Unrotate(ReadOnlySpan<byte> body, int count)
    {
        if (body.IsEmpty || count % body.Length == 0)
            return body;
        count %= body.Length;
        var rotated = new byte[body.Length];
        body[count..].CopyTo(rotated);
        body[..count].CopyTo(rotated.AsSpan(body.Length - count));
        return rotated;
    }

    private static byte[] Compute(KerberosKey key, KeyUsage usage, ReadOnlySpan<byte> message, ReadOnlySpan<byte> header)
    {
        var data = new byte[message.Length + header.Length];
        message.CopyTo(data);
        header.CopyTo(data.AsSpan(message.Length));
        var checksum = key.Checksum(usage, data);
        CryptographicOperations.ZeroMemory(data);
        return checksum;
    }

    private static void WriteHeader(Span<byte> token, ushort id, GssMessageFlags flags, ushort extra, ulong sequence)
    {
        BinaryPrimitives.WriteUInt16BigEndian(token, id);
        token[2] = (byte)flags;
        token[3] = Filler;
        BinaryPrimitives.WriteUInt16BigEndian(token[4..], extra);
        BinaryPrimitives.WriteUInt16BigEndian(token[Rrc..], 0);
        BinaryPrimitives.WriteUInt64BigEndian(token[8..], sequence);
    }

    private static void WriteMicHeader(Span<byte> token, GssMessageFlags flags, ulong sequence)
    {
        WriteHeader(token, MicId, flags, 0, sequence);
        token[4..8].Fill(Filler);
    }

    private static KerberosException Malformed(string detail) => KerberosException.Malformed("GSS message", detail);
}

/// <summary>The flags of a per-message token (RFC 4121 §4.2.2).</summary>
[Flags]
internal enum GssMessageFlags : byte
{
    None = 0,
    SentByAcceptor = 1,
    Sealed = 2,
    AcceptorSubkey = 4,
}
