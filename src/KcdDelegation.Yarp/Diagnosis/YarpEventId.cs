namespace KcdDelegation.Yarp.Diagnosis;

/// <summary>The event numbers of this package: 51xx.</summary>
internal static class YarpEventId
{
    public const int DestinationRemoved = 5101;
}
