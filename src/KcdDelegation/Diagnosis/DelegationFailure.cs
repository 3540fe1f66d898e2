using System.Globalization;

namespace KcdDelegation.Diagnosis;

/// <summary>What a <see cref="KcdException"/> carries. Foreign text in it has passed <see cref="PrintableText"/>.</summary>
internal sealed record DelegationFailure(KcdStage Stage, int EventId, string Cause, string Remedy)
{
    public bool IsTransient { get; init; }

    public string Describe() => string.Create(CultureInfo.InvariantCulture, $"{Cause} Remedy: {Remedy} (stage {Stage}, event {EventId})");

    public KcdException ToException(Exception? inner = null) => new(this, inner);

    /// <summary>A refusal at the first stage.</summary>
    public static DelegationFailure Identity(int eventId, string cause, string remedy) => new(KcdStage.Identity, eventId, cause, remedy);
}
