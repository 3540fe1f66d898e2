using System.Buffers.Binary;

namespace KcdDelegation.Kerberos.Messages;

/// <summary>A message of the change-password protocol, version 1 (RFC 3244 §2). Request and reply have the same form.</summary>
/// <remarks>All integers are in network byte order.
/// <code>
/// message ::= uint16 length of the message, uint16 version, uint16 length of AP-REQ or AP-REP, AP-REQ or AP-REP, KRB-PRIV
/// </code>
/// In a reply, an AP-REP of length 0 means that a KRB-ERROR follows instead of the KRB-PRIV.</remarks>
/// <param name="Authentication">The AP-REQ or AP-REP, or nothing.</param>
/// <param name="Content">The KRB-PRIV, or a KRB-ERROR in a reply without an AP-REP.</param>
internal sealed record PasswordMessage(ReadOnlyMemory<byte> Authentication, ReadOnlyMemory<byte> Content)
{
    /// <summary>A change of the password of the ticket's client, and the version of every reply.</summary>
    public const int Version = 1;

    private const int HeaderLength = 6;

    public static PasswordMessage Decode(ReadOnlyMemory<byte> bytes)
    {
        const string name = "The message of the password server";
        if (bytes.Length < HeaderLength)
            throw KerberosException.Malformed(name, $"has {bytes.Length} bytes; at least {HeaderLength} are required");
        var (length, version, authentication) = (ReadUInt16(bytes, 0), ReadUInt16(bytes, 2), ReadUInt16(bytes, 4));
        if (length != bytes.Length)
            throw KerberosException.Malformed(name, $"has {bytes.Length} bytes and announces {length}");
        if (version != Version)
            throw KerberosException.Malformed(name, $"has the version {version}, which is not supported");
        if (authentication > bytes.Length - HeaderLength)
            throw KerberosException.Malformed(name, $"is truncated: an AP-REP of {authentication} bytes is announced");
        return new PasswordMessage(bytes.Slice(HeaderLength, authentication), bytes[(HeaderLength + authentication)..]);
    }

    /// <exception cref="KerberosException">The message is longer than 65,535 bytes.</exception>
    public byte[] Encode()
    {
        var length = HeaderLength + Authentication.Length + Content.Length;
        if (length > ushort.MaxValue)
        {
            throw KerberosException.Malformed(
                "The request to the password server", $"has {length} bytes; at most {ushort.MaxValue} are possible");
        }
        var bytes = new byte[length];
        BinaryPrimitives.WriteUInt16BigEndian(bytes, (ushort)length);
        BinaryPrimitives.WriteUInt16BigEndian(bytes.AsSpan(2), Version);
        BinaryPrimitives.WriteUInt16BigEndian(bytes.AsSpan(4), (ushort)Authentication.Length);
        Authentication.CopyTo(bytes.AsMemory(HeaderLength));
        Content.CopyTo(bytes.AsMemory(HeaderLength + Authentication.Length));
        return bytes;
    }

    private static ushort ReadUInt16(ReadOnlyMemory<byte> bytes, int offset) => BinaryPrimitives.ReadUInt16BigEndian(bytes.Span[offset..]);
}
