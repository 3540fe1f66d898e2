using System.Buffers;
using System.Runtime.CompilerServices;
using KcdDelegation.Kerberos;

namespace KcdDelegation.Headers;

/// <summary>What makes two templates of one ticket differ.</summary>
/// <param name="Format">Kerberos or SPNEGO.</param>
/// <param name="MutualAuthentication">Whether the service is asked to prove itself; a flag inside the token.</param>
/// <param name="ChannelBinding">RFC 5929 application data; empty: none.</param>
internal readonly record struct AuthorizationKind(TokenFormat Format, bool MutualAuthentication, ReadOnlyMemory<byte> ChannelBinding)
{
    public bool Equals(AuthorizationKind other) =>
        Format == other.Format && MutualAuthentication == other.MutualAuthentication && ChannelBinding.Length == other.ChannelBinding.Length
        && (ChannelBinding.IsEmpty || ChannelBinding.Span.SequenceEqual(other.ChannelBinding.Span));

    public override int GetHashCode()
    {
        var hash = new HashCode();
        hash.Add(Format);
        hash.Add(MutualAuthentication);
        hash.AddBytes(ChannelBinding.Span);
        return hash.ToHashCode();
    }
}

/// <summary>Makes <c>Authorization</c> values from one ticket, each with a new authenticator and so to be sent once. Immutable,
/// thread-safe.</summary>
internal sealed class AuthorizationTemplate
{
    /// <summary>An authenticator takes about 200 bytes (RFC 4120 §5.5.1); one with much authorization data goes to the heap.</summary>
    private const int MaxTailOnStack = 1024;

    private readonly AuthorizationFrame _frame;
    private readonly AuthorizationKind _kind;

    public AuthorizationTemplate(ServiceTicket ticket, in AuthorizationKind kind)
    {
        _kind = kind;
        Request = ticket.CreateApRequest(new ApRequestOptions(kind.MutualAuthentication, kind.ChannelBinding));
        _frame = new AuthorizationFrame(kind.Format, Request.Prefix.Span, Request.TailLength);
    }

    public ref readonly AuthorizationKind Kind => ref _kind;

    /// <summary>What a reply is verified against.</summary>
    public ApRequestTemplate Request { get; }

    /// <summary>Bytes that it keeps: its own, and the engine's template under it.</summary>
    public int Size => _frame.Size + Request.Prefix.Length;

    /// <exception cref="InvalidOperationException">The ticket was purged or has expired.</exception>
    [SkipLocalsInit]
    public string CreateValue(out ApRequestState state)
    {
        var buffer = Take(stackalloc byte[MaxTailOnStack]);
        state = Request.WriteTail(_frame.PrepareTail(buffer));
        return _frame.CreateValue(buffer);
    }

    /// <inheritdoc cref="CreateValue"/>
    [SkipLocalsInit]
    public string CreateParameter(out ApRequestState state)
    {
        var buffer = Take(stackalloc byte[MaxTailOnStack]);
        state = Request.WriteTail(_frame.PrepareTail(buffer));
        return _frame.CreateParameter(buffer);
    }

    /// <inheritdoc cref="CreateValue"/>
    [SkipLocalsInit]
    public ApRequestState Write(IBufferWriter<byte> output)
    {
        var buffer = Take(stackalloc byte[MaxTailOnStack]);
        var state = Request.WriteTail(_frame.PrepareTail(buffer));
        _frame.Write(output, buffer);
        return state;
    }

    private Span<byte> Take(Span<byte> onStack) =>
        _frame.TailBufferLength <= onStack.Length ? onStack[.._frame.TailBufferLength] : new byte[_frame.TailBufferLength];
}
