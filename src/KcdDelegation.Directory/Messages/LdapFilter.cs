using System.Formats.Asn1;
using System.Globalization;
using System.Text;
using KcdDelegation.DirectoryServices.Messages;

namespace KcdDelegation.DirectoryServices;

/// <summary>A search filter (RFC 4511 §4.5.1.7). Values are encoded as bytes and never parsed as text, so no value can change the filter.
/// Immutable and thread-safe.</summary>
public sealed class LdapFilter
{
    /// <summary>The rule that follows a chain of names, such as nested group membership (MS-ADTS §3.1.1.3.4.4).</summary>
    private const string InChain = "1.2.840.113556.1.4.1941";

    private readonly Action<AsnWriter> _write;
    private readonly string _text;

    private LdapFilter(Action<AsnWriter> write, string text) => (_write, _text) = (write, text);

    /// <summary>Creates a filter for entries that have the attribute.</summary>
    /// <exception cref="ArgumentException">The attribute is not a name of letters, digits, hyphens and semicolons.</exception>
    public static LdapFilter Present(string attribute)
    {
        ThrowIfNotAttribute(attribute);
        return new LdapFilter(
            writer => writer.WriteOctetString(Encoding.ASCII.GetBytes(attribute), LdapTags.Context(7)), $"({attribute}=*)");
    }

    /// <summary>Creates a filter for entries whose attribute has the value.</summary>
    /// <exception cref="ArgumentException">The attribute is not a name of letters, digits, hyphens and semicolons.</exception>
    public static LdapFilter Equal(string attribute, string value)
    {
        ArgumentNullException.ThrowIfNull(value);
        return Compare(3, "=", attribute, Encoding.UTF8.GetBytes(value));
    }

    /// <inheritdoc cref="Equal(string, string)"/>
    public static LdapFilter Equal(string attribute, ReadOnlySpan<byte> value) => Compare(3, "=", attribute, value.ToArray());

    /// <summary>Creates a filter for entries whose attribute is at least the value.</summary>
    /// <exception cref="ArgumentException">The attribute is not a name of letters, digits, hyphens and semicolons.</exception>
    public static LdapFilter GreaterOrEqual(string attribute, string value)
    {
        ArgumentNullException.ThrowIfNull(value);
        return Compare(5, ">=", attribute, Encoding.UTF8.GetBytes(value));
    }

    /// <summary>Creates a filter for entries whose attribute is at most the value.</summary>
    /// <exception cref="ArgumentException">The attribute is not a name of letters, digits, hyphens and semicolons.</exception>
    public static LdapFilter LessOrEqual(string attribute, string value)
    {
        ArgumentNullException.ThrowIfNull(value);
        return Compare(6, "<=", attribute, Encoding.UTF8.GetBytes(value));
    }

    /// <summary>Creates a filter for entries whose attribute starts with the value.</summary>
    /// <exception cref="ArgumentException">The attribute is not a name of letters, digits, hyphens and semicolons, or the value is
    /// empty.</exception>
    public static LdapFilter StartsWith(string attribute, string value)
    {
        ThrowIfNotAttribute(attribute);
        ArgumentException.ThrowIfNullOrEmpty(value);
        var bytes = Encoding.UTF8.GetBytes(value);
        return new LdapFilter(
            writer =>
            {
                using (writer.PushSequence(LdapTags.ContextConstructed(4)))
                {
                    writer.WriteOctetString(Encoding.ASCII.GetBytes(attribute));
                    using (writer.PushSequence())
                        writer.WriteOctetString(bytes, LdapTags.Context(0));
                }
            },
            $"({attribute}={Escape(bytes)}*)");
    }

    /// <summary>Creates a filter for entries that refer to a name directly or over further entries, such as nested groups. Active Directory
    /// and Samba only.</summary>
    /// <exception cref="ArgumentException">The attribute is not a name of letters, digits, hyphens and semicolons.</exception>
    public static LdapFilter ReachedFrom(string attribute, string name)
    {
        ThrowIfNotAttribute(attribute);
        ArgumentNullException.ThrowIfNull(name);
        var bytes = Encoding.UTF8.GetBytes(name);
        return new LdapFilter(
            writer =>
            {
                using (writer.PushSequence(LdapTags.ContextConstructed(9)))
                {
                    writer.WriteOctetString(Encoding.ASCII.GetBytes(InChain), LdapTags.Context(1));
                    writer.WriteOctetString(Encoding.ASCII.GetBytes(attribute), LdapTags.Context(2));
                    writer.WriteOctetString(bytes, LdapTags.Context(3));
                }
            },
            $"({attribute}:{InChain}:={Escape(bytes)})");
    }

    /// <summary>Creates a filter for entries that match all filters.</summary>
    /// <exception cref="ArgumentException">There is no filter.</exception>
    public static LdapFilter All(params ReadOnlySpan<LdapFilter> filters) => Combine(0, '&', filters);

    /// <summary>Creates a filter for entries that match at least one filter.</summary>
    /// <exception cref="ArgumentException">There is no filter.</exception>
    public static LdapFilter Any(params ReadOnlySpan<LdapFilter> filters) => Combine(1, '|', filters);

    /// <summary>Creates a filter for entries that do not match a filter.</summary>
    public static LdapFilter Not(LdapFilter filter)
    {
        ArgumentNullException.ThrowIfNull(filter);
        return new LdapFilter(
            writer =>
            {
                using (writer.PushSequence(LdapTags.ContextConstructed(2)))
                    filter.Write(writer);
            },
            $"(!{filter})");
    }

    /// <summary>Returns the filter as in RFC 4515, with every unusual byte escaped. For logs and messages only.</summary>
    public override string ToString() => _text;

    internal void Write(AsnWriter writer) => _write(writer);

    private static LdapFilter Compare(int choice, string symbol, string attribute, byte[] value)
    {
        ThrowIfNotAttribute(attribute);
        return new LdapFilter(
            writer =>
            {
                // AttributeValueAssertion ::= SEQUENCE { attributeDesc AttributeDescription, assertionValue AssertionValue }.
                using (writer.PushSequence(LdapTags.ContextConstructed(choice)))
                {
                    writer.WriteOctetString(Encoding.ASCII.GetBytes(attribute));
                    writer.WriteOctetString(value);
                }
            },
            $"({attribute}{symbol}{Escape(value)})");
    }

    private static LdapFilter Combine(int choice, char symbol, ReadOnlySpan<LdapFilter> filters)
    {
        if (filters.IsEmpty)
            throw new ArgumentException("Give at least one filter.", nameof(filters));
        var parts = filters.ToArray();
        return new LdapFilter(
            writer =>
            {
                using (writer.PushSequence(LdapTags.ContextConstructed(choice)))
                {
                    foreach (var part in parts)
                        part.Write(writer);
                }
            },
            $"({symbol}{string.Concat(parts.Select(part => part.ToString()))})");
    }

    /// <summary>Escapes as RFC 4515 §3, and also everything that is not printable ASCII.</summary>
    private static string Escape(ReadOnlySpan<byte> value)
    {
        var text = new StringBuilder(value.Length);
        foreach (var octet in value)
        {
            if (octet is > 0x20 and < 0x7F && (char)octet is not ('(' or ')' or '*' or '\\'))
                text.Append((char)octet);
            else
                text.Append('\\').Append(octet.ToString("x2", CultureInfo.InvariantCulture));
        }
        return text.ToString();
    }

    private static void ThrowIfNotAttribute(string attribute)
    {
        ArgumentException.ThrowIfNullOrEmpty(attribute);
        if (!LdapAttributeName.IsValid(attribute))
            throw new ArgumentException($"'{attribute}' is not the name of an attribute.", nameof(attribute));
    }
}
