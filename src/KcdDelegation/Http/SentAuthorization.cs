using System.Text;
using KcdDelegation.Diagnosis;
using KcdDelegation.Headers;
using KcdDelegation.Kerberos;

namespace KcdDelegation.Http;

/// <summary>The <c>Authorization</c> value of one attempt: bound when the connection's certificate is known, created when the request is
/// written, and kept to verify the reply.</summary>
/// <remarks>
/// <para>Each attempt needs a new value. <see cref="BeginWrite"/> ensures that no token is sent twice.</para>
/// <para>The request holds a placeholder. .NET asks <see cref="SocketsHttpHandler.RequestHeaderEncodingSelector"/> for the encoding of each
/// field that it writes. This class is the encoding of its own field, and creates the value in the connection's buffer. The value therefore
/// needs no string, which would take twice the size of the ticket, and no buffer of its own.</para>
/// </remarks>
internal sealed class SentAuthorization(DelegatedCredential credential, TokenFormat format) : Encoding
{
    /// <summary>The value on the request. A server that gets it, because another handler wrote the request, refuses it.</summary>
    private const string Placeholder = AuthorizationFrame.Scheme;

    private const string OptionsKey = "KcdDelegation.SentAuthorization";
    private static readonly HttpRequestOptionsKey<SentAuthorization> s_key = new(OptionsKey);

    private AuthorizationTemplate? _template;
    private ApRequestState _state;
    private bool _isWritten;

    public TokenFormat Format { get; } = format;

    /// <summary>Whether the ticket is bound to the TLS connection.</summary>
    public bool IsBound => _template is { Kind.ChannelBinding.IsEmpty: false };

    /// <summary>The length of the header's value in bytes.</summary>
    public int Length => _template?.Length ?? 0;

    /// <summary>The number of bytes by which the value is longer than the text that the request holds.</summary>
    public int LengthBeyondPlaceholder => _template is null ? 0 : _template.Length - Placeholder.Length;

    /// <summary>The ticket of the value.</summary>
    public ServiceTicket Ticket => credential.Ticket;

    /// <summary>Whether the ticket was in the cache before the request.</summary>
    public bool IsFromCache => credential.IsFromCache;

    /// <summary>Whether no value could be created, because the ticket was purged or evicted, or has expired, since it was looked
    /// up.</summary>
    public bool IsTicketUnusable { get; private set; }

    /// <summary>Prepares a new value and sets it on the request.</summary>
    /// <exception cref="KcdException">The ticket was purged or has expired in the meantime.</exception>
    public void SetOn(HttpRequestMessage request, ReadOnlyMemory<byte> channelBinding)
    {
        // Not where the value is written: there, the current activity is the one of .NET's client, which may not be exported.
        using var span = credential.StartHeaderSpan();
        try
        {
            _template = credential.GetTemplate(Format, channelBinding);
        }
        catch (InvalidOperationException error)
        {
            span.FailDropped();
            throw Drop(error);
        }
        if (!request.Headers.NonValidated.Contains("Authorization"))
            request.Headers.TryAddWithoutValidation("Authorization", Placeholder);
        request.Options.Set(s_key, this);
        _isWritten = false;
    }

    /// <summary>Marks the request's value as written to a connection, and returns the encoding that writes it.</summary>
    /// <returns>The encoding of the field's value; null if the request has none.</returns>
    /// <exception cref="TokenSpentException">The value was written before. .NET resends a request without a body if a kept connection
    /// closes before the first byte of the response, and the backend may have accepted the token (RFC 4120 §3.2.3: a replay).</exception>
    public static Encoding? BeginWrite(HttpRequestMessage request)
    {
        if (!request.Options.TryGetValue(s_key, out var sent))
            return null;
        if (sent._isWritten)
            throw new TokenSpentException();
        sent._isWritten = true;
        return sent;
    }

    /// <summary>Removes the value from the request, because handlers outside of this one may log, keep or resend the request.</summary>
    public static void RemoveFrom(HttpRequestMessage request)
    {
        request.Headers.Remove("Authorization");
        ((IDictionary<string, object?>)request.Options).Remove(OptionsKey);
    }

    /// <summary>Verifies a reply token. Returns null if it answers the value that was sent, otherwise the error.</summary>
    public KerberosException? FindReplyError(ReadOnlySpan<byte> token)
    {
        try
        {
            _state.VerifyReply(_template!.Request, token);
            return null;
        }
        catch (KerberosException error)
        {
            return error;
        }
    }

    public override int GetByteCount(char[] chars, int index, int count) => Length;

    public override int GetByteCount(ReadOnlySpan<char> chars) => Length;

    public override int GetMaxByteCount(int charCount) => Length;

    public override int GetBytes(char[] chars, int charIndex, int charCount, byte[] bytes, int byteIndex) =>
        GetBytes(chars.AsSpan(charIndex, charCount), bytes.AsSpan(byteIndex));

    /// <summary>Creates the value in a connection's buffer, in place of any text.</summary>
    /// <exception cref="KcdException">The ticket was purged or has expired in the meantime.</exception>
    public override int GetBytes(ReadOnlySpan<char> chars, Span<byte> bytes)
    {
        try
        {
            _state = _template!.Write(bytes);
            return Length;
        }
        catch (InvalidOperationException error)
        {
            throw Drop(error);
        }
    }

    public override int GetCharCount(byte[] bytes, int index, int count) => throw new NotSupportedException();

    public override int GetChars(byte[] bytes, int byteIndex, int byteCount, char[] chars, int charIndex) =>
        throw new NotSupportedException();

    public override int GetMaxCharCount(int byteCount) => throw new NotSupportedException();

    /// <summary>Marks the ticket as unusable, and returns the error for that.</summary>
    private KcdException Drop(InvalidOperationException error)
    {
        IsTicketUnusable = true;
        return new KcdException(new DelegationFailure(
            KcdStage.Delegation,
            KcdErrorKind.Unavailable, KcdEventId.NoTicket,
            $"The ticket of {credential.Ticket.User} for {credential.Ticket.Service} was dropped while the request waited. "
                + "Nothing was sent.",
            "Send the request again.") { IsTransient = true }, error);
    }
}

/// <summary>The exception for a connection that broke after the token was written. The request was not written to another
/// connection.</summary>
internal sealed class TokenSpentException()
    : Exception("The backend closed the connection before it answered, and the request's token must not be sent twice.");
