namespace KcdDelegation.Kerberos.Messages;

/// <summary>The frame of a Kerberos token in GSSAPI (RFC 2743 §3.1, RFC 4121 §4.1).</summary>
/// <remarks>[APPLICATION 0] { OID 1.2.840.113554.1.2.2, two bytes of token type, message }.</remarks>
internal static class GssKerberosToken
{
    public const ushort ApRequestToken = 0x0100;
    public const ushort ApReplyToken = 0x0200;
    public const ushort ErrorToken = 0x0300;

    /// <summary>The DER encoding of the mechanism's object identifier 1.2.840.113554.1.2.2.</summary>
    private static ReadOnlySpan<byte> Mechanism => [0x06, 0x09, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x12, 0x01, 0x02, 0x02];

    public static byte[] Wrap(ushort tokenType, ReadOnlySpan<byte> message)
    {
        var head = Head(tokenType, message.Length);
        var token = new byte[head.Length + message.Length];
        head.CopyTo(token, 0);
        message.CopyTo(token.AsSpan(head.Length));
        return token;
    }

    /// <summary>Returns the bytes before a message of the given length.</summary>
    public static byte[] Head(ushort tokenType, int messageLength)
    {
        var inner = Mechanism.Length + 2 + messageLength;
        var head = new byte[KerberosAsnWriter.HeaderLength(inner) + Mechanism.Length + 2];
        var position = KerberosAsnWriter.WriteHeader(head, 0x60, inner);
        Mechanism.CopyTo(head.AsSpan(position));
        head[^2] = (byte)(tokenType >> 8);
        head[^1] = (byte)tokenType;
        return head;
    }

    /// <exception cref="KerberosException">The token does not belong to the Kerberos mechanism, or is malformed.</exception>
    public static (ushort TokenType, ReadOnlyMemory<byte> Message) Unwrap(ReadOnlyMemory<byte> token)
    {
        var span = token.Span;
        if (span.Length < 2 || span[0] != 0x60)
            throw KerberosException.Malformed("GSS token", "does not have the frame of RFC 2743 §3.1");
        var (length, header) = span[1] switch
        {
            < 0x80 => (span[1], 2),
            0x81 when span.Length > 2 => (span[2], 3),
            0x82 when span.Length > 3 => ((span[2] << 8) | span[3], 4),
            0x83 when span.Length > 4 => ((span[2] << 16) | (span[3] << 8) | span[4], 5),
            _ => (-1, 0),
        };
        if (length != span.Length - header || length < Mechanism.Length + 2)
            throw KerberosException.Malformed("GSS token", "has a length that does not match the frame");
        if (!span.Slice(header, Mechanism.Length).SequenceEqual(Mechanism))
            throw KerberosException.Malformed("GSS token", "belongs to another mechanism than Kerberos");
        var type = header + Mechanism.Length;
        return ((ushort)((span[type] << 8) | span[type + 1]), token[(type + 2)..]);
    }
}
