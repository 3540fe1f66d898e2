using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using KcdDelegation.Kerberos.Names;

namespace KcdDelegation.Kerberos.Messages;

/// <summary>The result of a change of a password (RFC 3244 §2): the user data of the reply's KRB-PRIV.</summary>
/// <remarks>
/// <code>
/// result ::= uint16 code, text or policy
/// policy ::= uint16 0, uint32 minimum length, uint32 length of the history, uint32 flags (1: complexity), uint64 maximum age, uint64
///            minimum age, in units of 100 ns
/// </code>
/// Active Directory and Samba send the policy with the code 4.</remarks>
/// <param name="Code">The code.</param>
/// <param name="Text">The server's text or policy in words. It is printable and bounded, and may be empty.</param>
internal sealed record PasswordResult(PasswordResultCode Code, string Text)
{
    private const int MaxText = 500;
    private const int PolicyLength = 30;

    public static PasswordResult Decode(ReadOnlyMemory<byte> bytes)
    {
        if (bytes.Length < 2)
            throw KerberosException.Malformed("The result of the password server", $"has {bytes.Length} bytes; at least 2 are required");
        var code = (PasswordResultCode)BinaryPrimitives.ReadUInt16BigEndian(bytes.Span);
        // An unknown code says neither that the password was changed nor that it was not.
        if (!Enum.IsDefined(code))
            throw KerberosException.Malformed("The result of the password server", $"has the unknown code {(int)code}");
        return new PasswordResult(code, ReadText(bytes.Span[2..]));
    }

    /// <summary>Encodes a result with a text.</summary>
    public byte[] Encode()
    {
        var bytes = new byte[2 + Encoding.UTF8.GetByteCount(Text)];
        BinaryPrimitives.WriteUInt16BigEndian(bytes, (ushort)Code);
        Encoding.UTF8.GetBytes(Text, bytes.AsSpan(2));
        return bytes;
    }

    private static string ReadText(ReadOnlySpan<byte> text) =>
        text.Length == PolicyLength && text[0] == 0 && text[1] == 0
            ? DescribePolicy(text)
            : PrintableText.From(Encoding.UTF8.GetString(text[..Math.Min(text.Length, MaxText)]).TrimEnd('\0'), MaxText);

    private static string DescribePolicy(ReadOnlySpan<byte> policy)
    {
        var rules = new List<string>();
        if (BinaryPrimitives.ReadUInt32BigEndian(policy[2..]) is var length and > 0)
            rules.Add(string.Create(CultureInfo.InvariantCulture, $"at least {length} characters"));
        if (BinaryPrimitives.ReadUInt32BigEndian(policy[6..]) is var history and > 0)
            rules.Add(string.Create(CultureInfo.InvariantCulture, $"none of the last {history} passwords"));
        if ((BinaryPrimitives.ReadUInt32BigEndian(policy[10..]) & 1) != 0)
            rules.Add("complex");
        if (BinaryPrimitives.ReadUInt64BigEndian(policy[22..]) is var ticks and > 0 and <= long.MaxValue)
        {
            var age = new TimeSpan((long)ticks);
            rules.Add(string.Create(CultureInfo.InvariantCulture, $"at least {age:c} (d.hh:mm:ss) between two changes"));
        }
        return $"the domain's policy for passwords is: {(rules.Count == 0 ? "no rules" : string.Join(", ", rules))}";
    }
}

/// <summary>The codes of RFC 3244 §2.</summary>
internal enum PasswordResultCode
{
    /// <summary>The password was changed.</summary>
    Success = 0,

    /// <summary>The request is malformed.</summary>
    Malformed = 1,

    /// <summary>The server has an error. It does not say whether the password was changed.</summary>
    ServerError = 2,

    /// <summary>The authentication failed.</summary>
    AuthenticationError = 3,

    /// <summary>The password or the time of the change is against the policy.</summary>
    PolicyViolation = 4,

    /// <summary>The account may not change its password.</summary>
    AccessDenied = 5,

    /// <summary>The version of the protocol is not supported.</summary>
    BadVersion = 6,

    /// <summary>The ticket is not from an AS exchange.</summary>
    InitialTicketRequired = 7,
}
