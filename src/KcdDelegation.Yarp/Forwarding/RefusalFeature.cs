namespace KcdDelegation.Yarp.Forwarding;

/// <summary>A backend's refusal of the ticket, until <see cref="AnsweringForwarder"/> answers the client.</summary>
/// <param name="Refusal">The cause.</param>
internal sealed record RefusalFeature(KcdException Refusal);
