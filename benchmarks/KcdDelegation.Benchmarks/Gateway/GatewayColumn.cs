namespace KcdDelegation.Benchmarks.Gateway;

/// <summary>How requests are forwarded.</summary>
internal enum Forwarding
{
    /// <summary>YARP, or HttpClient, without a user.</summary>
    Plain,

    /// <summary>One <see cref="SocketsHttpHandler"/> for each user and a constant <c>Authorization</c> header.</summary>
    Control,

    /// <summary>Delegation.</summary>
    Delegated,
}

/// <summary>How the gateway knows the user.</summary>
internal enum CallerCheck
{
    /// <summary>The request names the user in a header field, which is not validated.</summary>
    Header,

    /// <summary>A bearer token and the framework's <c>JwtBearer</c>.</summary>
    JwtBearer,

    /// <summary>A bearer token and <c>AddKcdBearer</c>.</summary>
    KcdBearer,

    /// <summary>There is no gateway: <see cref="HttpClient"/> sends the requests.</summary>
    NoGateway,
}

/// <summary>One process to measure.</summary>
internal sealed record GatewayColumn(string Name, Forwarding Forwarding, CallerCheck Check)
{
    public const string Plain = "plain YARP";
    public const string Control = "control";
    public const string Delegated = "delegation";
    public const string PlainJwtBearer = "plain YARP, JwtBearer";
    public const string PlainKcdBearer = "plain YARP, AddKcdBearer";
    public const string DelegatedKcdBearer = "delegation, AddKcdBearer";
    public const string Client = "HttpClient";
    public const string ClientControl = "HttpClient, control";
    public const string ClientDelegated = "HttpClient, KcdHandler";

    /// <summary>Gets all columns, in the order of the first round.</summary>
    public static IReadOnlyList<GatewayColumn> All { get; } =
    [
        new(Plain, Forwarding.Plain, CallerCheck.Header),
        new(Control, Forwarding.Control, CallerCheck.Header),
        new(Delegated, Forwarding.Delegated, CallerCheck.Header),
        new(PlainJwtBearer, Forwarding.Plain, CallerCheck.JwtBearer),
        new(PlainKcdBearer, Forwarding.Plain, CallerCheck.KcdBearer),
        new(DelegatedKcdBearer, Forwarding.Delegated, CallerCheck.KcdBearer),
        new(Client, Forwarding.Plain, CallerCheck.NoGateway),
        new(ClientControl, Forwarding.Control, CallerCheck.NoGateway),
        new(ClientDelegated, Forwarding.Delegated, CallerCheck.NoGateway),
    ];

    public bool HasGateway => Check != CallerCheck.NoGateway;

    public bool HasToken => Check is CallerCheck.JwtBearer or CallerCheck.KcdBearer;
}
