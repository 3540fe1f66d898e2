using System.Formats.Asn1;
using KcdDelegation.Kerberos.Names;

namespace KcdDelegation.DirectoryServices.Messages;

/// <summary>A message of the server (RFC 4511 §4.1.1).</summary>
/// <remarks>LDAPMessage ::= SEQUENCE { messageID INTEGER (0 .. 2147483647), protocolOp CHOICE, controls [0] Controls OPTIONAL
/// }.</remarks>
internal abstract record LdapResponse(int MessageId)
{
    private const int MaxControls = 16;
    private const int MaxNameLength = 64;

    /// <summary>Gets the cookie of the paging control (RFC 2696), or null if the message has no such control.</summary>
    public ReadOnlyMemory<byte>? PageCookie { get; private init; }

    /// <summary>BindResponse ::= [APPLICATION 1] SEQUENCE { COMPONENTS OF LDAPResult, serverSaslCreds [7] OCTET STRING OPTIONAL
    /// }.</summary>
    public sealed record Bind(int MessageId, LdapResult Result, ReadOnlyMemory<byte>? Credentials) : LdapResponse(MessageId);

    /// <summary>SearchResultEntry ::= [APPLICATION 4] SEQUENCE { objectName LDAPDN, attributes PartialAttributeList }.</summary>
    public sealed record Entry(int MessageId, string Name, IReadOnlyList<LdapAttribute> Attributes) : LdapResponse(MessageId);

    /// <summary>SearchResultReference ::= [APPLICATION 19] SEQUENCE SIZE (1..MAX) OF uri URI.</summary>
    public sealed record Reference(int MessageId) : LdapResponse(MessageId);

    /// <summary>SearchResultDone ::= [APPLICATION 5] LDAPResult.</summary>
    public sealed record Done(int MessageId, LdapResult Result) : LdapResponse(MessageId);

    /// <summary>ExtendedResponse ::= [APPLICATION 24] SEQUENCE { COMPONENTS OF LDAPResult, responseName [10] LDAPOID OPTIONAL,
    /// responseValue [11] OCTET STRING OPTIONAL }.</summary>
    public sealed record Extended(int MessageId, LdapResult Result, string? Name) : LdapResponse(MessageId)
    {
        /// <summary>RFC 4511 §4.4.1: the server ends the connection, in a message with the ID 0.</summary>
        public bool IsNoticeOfDisconnection => MessageId == 0 && Name == "1.3.6.1.4.1.1466.20036";
    }

    /// <exception cref="AsnContentException">The message is malformed, or has an unknown critical control.</exception>
    public static LdapResponse Decode(ReadOnlyMemory<byte> bytes, int maxValues)
    {
        var outer = BerReader.Create(bytes);
        var message = outer.ReadDefinite();
        outer.ThrowIfNotEmpty();
        var id = message.ReadInt32();
        if (id < 0)
            throw new AsnContentException("A message ID is negative.");
        var response = ReadOperation(message, id, maxValues);
        if (message.IsNext(LdapTags.Context(0)))
            response = response with { PageCookie = ReadControls(message.ReadDefinite(LdapTags.ContextConstructed(0))) };
        message.ThrowIfNotEmpty();
        return response;
    }

    private static LdapResponse ReadOperation(AsnReader message, int id, int maxValues)
    {
        var tag = message.PeekTag();
        if (tag == LdapTags.SearchResultEntry)
            return ReadEntry(message.ReadDefinite(tag), id, maxValues);
        if (tag == LdapTags.SearchResultReference)
        {
            message.ReadDefinite(tag);
            return new Reference(id);
        }
        if (tag == LdapTags.SearchResultDone)
        {
            var fields = message.ReadDefinite(tag);
            var result = LdapResult.Read(fields);
            fields.ThrowIfNotEmpty();
            return new Done(id, result);
        }
        if (tag == LdapTags.BindResponse)
        {
            var fields = message.ReadDefinite(tag);
            var result = LdapResult.Read(fields);
            // Without the cast, null would become an empty value: the conversion from an array exists.
            var credentials = fields.IsNext(LdapTags.Context(7))
                ? fields.ReadOctets(LdapTags.Context(7))
                : (ReadOnlyMemory<byte>?)null;
            fields.ThrowIfNotEmpty();
            return new Bind(id, result, credentials);
        }
        if (tag == LdapTags.ExtendedResponse)
        {
            var fields = message.ReadDefinite(tag);
            var result = LdapResult.Read(fields);
            var name = fields.IsNext(LdapTags.Context(10)) ? fields.ReadText(LdapTags.Context(10)) : null;
            if (fields.IsNext(LdapTags.Context(11)))
                fields.ReadOctets(LdapTags.Context(11));
            fields.ThrowIfNotEmpty();
            return new Extended(id, result, name);
        }
        throw new AsnContentException($"The operation {tag} is not one of a response.");
    }

    private static Entry ReadEntry(AsnReader fields, int id, int maxValues)
    {
        var name = fields.ReadText();
        var list = fields.ReadDefinite();
        fields.ThrowIfNotEmpty();
        var attributes = new List<LdapAttribute>();
        var count = 0;
        while (list.HasData)
        {
            var attribute = list.ReadDefinite();
            var type = attribute.ReadText();
            var set = attribute.ReadDefiniteSet();
            attribute.ThrowIfNotEmpty();
            var values = new List<ReadOnlyMemory<byte>>();
            // Attributes without values count as well: each of them takes memory.
            count++;
            while (set.HasData)
            {
                values.Add(set.ReadOctets());
                count++;
                if (count > maxValues)
                    break;
            }
            if (count > maxValues)
                throw new TooManyValuesException();
            attributes.Add(new LdapAttribute(type, values));
        }
        return new Entry(id, name, attributes);
    }

    /// <summary>Reads the controls and returns the cookie of the paging control.</summary>
    /// <remarks>Control ::= SEQUENCE { controlType LDAPOID, criticality BOOLEAN DEFAULT FALSE, controlValue OCTET STRING OPTIONAL
    /// }.</remarks>
    private static ReadOnlyMemory<byte>? ReadControls(AsnReader controls)
    {
        ReadOnlyMemory<byte>? cookie = null;
        for (var count = 0; controls.HasData; count++)
        {
            if (count == MaxControls)
                throw new AsnContentException("A message has too many controls.");
            var control = controls.ReadDefinite();
            var type = control.ReadText();
            var isCritical = control.HasData && control.PeekTag() == Asn1Tag.Boolean && control.ReadBoolean();
            var value = control.HasData ? control.ReadOctets() : (ReadOnlyMemory<byte>?)null;
            control.ThrowIfNotEmpty();
            if (type == LdapControls.PagedResults)
            {
                if (cookie is not null || value is not { } encoded)
                    throw new AsnContentException("The paging control is repeated or has no value.");
                cookie = LdapControls.ReadPageCookie(encoded);
            }
            else if (isCritical)
                throw new AsnContentException($"The critical control {PrintableText.From(type, MaxNameLength)} is not known.");
        }
        return cookie;
    }
}

/// <summary>An entry has more values than the bound.</summary>
internal sealed class TooManyValuesException : Exception;
