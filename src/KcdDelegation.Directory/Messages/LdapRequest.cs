using System.Formats.Asn1;
using System.Text;

namespace KcdDelegation.DirectoryServices.Messages;

/// <summary>The requests of the client (RFC 4511 §4.2, §4.3, §4.5).</summary>
internal static class LdapRequest
{
    private const int Version = 3;

    /// <summary>Encodes BindRequest ::= [APPLICATION 0] SEQUENCE { version INTEGER, name LDAPDN, authentication CHOICE { sasl [3]
    /// SaslCredentials } }, SaslCredentials ::= SEQUENCE { mechanism LDAPString, credentials OCTET STRING OPTIONAL }.</summary>
    public static byte[] EncodeBind(int id, string mechanism, ReadOnlySpan<byte> credentials)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER, credentials.Length + 64);
        using (writer.PushSequence())
        {
            writer.WriteInteger(id);
            using (writer.PushSequence(LdapTags.BindRequest))
            {
                writer.WriteInteger(Version);
                writer.WriteOctetString([]);
                using (writer.PushSequence(LdapTags.ContextConstructed(3)))
                {
                    writer.WriteOctetString(Encoding.ASCII.GetBytes(mechanism));
                    writer.WriteOctetString(credentials);
                }
            }
        }
        return writer.Encode();
    }

    /// <summary>Encodes UnbindRequest ::= [APPLICATION 2] NULL.</summary>
    public static byte[] EncodeUnbind(int id)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            writer.WriteInteger(id);
            writer.WriteNull(LdapTags.UnbindRequest);
        }
        return writer.Encode();
    }

    /// <summary>Encodes SearchRequest ::= [APPLICATION 3] SEQUENCE { baseObject LDAPDN, scope ENUMERATED, derefAliases ENUMERATED,
    /// sizeLimit INTEGER, timeLimit INTEGER (seconds), typesOnly BOOLEAN, filter Filter, attributes AttributeSelection }.</summary>
    /// <param name="id">The message ID.</param>
    /// <param name="search">The search.</param>
    /// <param name="attributes">The attributes to return. They replace those of the search while a range is read.</param>
    /// <param name="sizeLimit">The largest number of entries that the server may return; 0 for no limit.</param>
    /// <param name="timeLimit">The time that the server may take, in whole seconds.</param>
    /// <param name="page">The cookie of the next page, or null for a search without pages.</param>
    public static byte[] EncodeSearch(
        int id, LdapSearch search, IEnumerable<string> attributes, int sizeLimit, int timeLimit, byte[]? page)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER, 512);
        using (writer.PushSequence())
        {
            writer.WriteInteger(id);
            using (writer.PushSequence(LdapTags.SearchRequest))
            {
                writer.WriteOctetString(Encoding.UTF8.GetBytes(search.Base));
                writer.WriteEnumeratedValue(search.Scope);
                writer.WriteEnumeratedValue(DereferenceAliases.Never);
                writer.WriteInteger(sizeLimit);
                writer.WriteInteger(timeLimit);
                writer.WriteBoolean(false);
                search.Filter.Write(writer);
                using (writer.PushSequence())
                {
                    foreach (var attribute in attributes)
                        writer.WriteOctetString(Encoding.UTF8.GetBytes(attribute));
                }
            }
            if (page is not null || search.ReadsSecurityDescriptors)
            {
                using (writer.PushSequence(LdapTags.ContextConstructed(0)))
                {
                    if (page is { } cookie)
                        LdapControls.Write(writer, LdapControls.PagedResults, LdapControls.EncodePage(search.PageSize, cookie));
                    if (search.ReadsSecurityDescriptors)
                        LdapControls.Write(
                            writer, LdapControls.SecurityDescriptorFlags, LdapControls.EncodeSecurityDescriptorFlags());
                }
            }
        }
        return writer.Encode();
    }

    /// <summary>RFC 4511 §4.5.1.3. An alias would lead to an entry outside of the base.</summary>
    private enum DereferenceAliases
    {
        Never = 0,
    }
}
